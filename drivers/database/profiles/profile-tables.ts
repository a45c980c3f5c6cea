/** knex's names of the dialects. */
type SqlDialect = 'mysql' | 'postgresql' | 'sqlite3';

/** What a column holds; each dialect has its words for it. */
type Kind = keyof (typeof types)['mysql'];

/** As PHP's own migrations make them. */
const types = {
  mysql: {
    id: 'bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY',
    name: 'varchar(255) NOT NULL',
    text: 'longtext NOT NULL',
    small: 'tinyint unsigned NOT NULL',
    seconds: 'int unsigned NOT NULL',
    noSeconds: 'int unsigned DEFAULT NULL',
    time: 'timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP',
    unique: 'varchar(255) NOT NULL UNIQUE',
  },
  postgresql: {
    id: 'bigserial PRIMARY KEY',
    name: 'varchar(255) NOT NULL',
    text: 'text NOT NULL',
    small: 'smallint NOT NULL',
    seconds: 'integer NOT NULL',
    noSeconds: 'integer',
    time: 'timestamp(0) without time zone NOT NULL DEFAULT CURRENT_TIMESTAMP',
    unique: 'varchar(255) NOT NULL UNIQUE',
  },
  sqlite3: {
    // AUTOINCREMENT: the id of a job that is gone is never given again.
    id: 'integer PRIMARY KEY AUTOINCREMENT NOT NULL',
    name: 'varchar NOT NULL',
    text: 'text NOT NULL',
    small: 'integer NOT NULL',
    seconds: 'integer NOT NULL',
    noSeconds: 'integer',
    time: 'datetime NOT NULL DEFAULT CURRENT_TIMESTAMP',
    unique: 'varchar NOT NULL UNIQUE',
  },
} as const;

/** The statements that make a table and its index, each only where it is missing. */
type MakeTable = (dialect: SqlDialect, table: string, schema: string | undefined) => string[];

/** PHP's tables by the names that the steps which make them have in drover's history of the schema. */
export const profileTables = {
  'think-3_jobs': madeOf(
    {
      id: 'id',
      queue: 'name',
      payload: 'text',
      attempts: 'small',
      reserve_time: 'noSeconds',
      available_time: 'seconds',
      create_time: 'seconds',
    },
    'queue',
  ),
  'think-3_failed_jobs': madeOf({
    id: 'id',
    connection: 'name',
    queue: 'name',
    payload: 'text',
    exception: 'text',
    fail_time: 'time',
  }),
  'think-1_jobs': madeOf(
    {
      id: 'id',
      queue: 'name',
      payload: 'text',
      attempts: 'small',
      reserved: 'small',
      reserved_at: 'noSeconds',
      available_at: 'seconds',
      created_at: 'seconds',
    },
    'queue',
  ),
  laravel_jobs: madeOf(
    {
      id: 'id',
      queue: 'name',
      payload: 'text',
      attempts: 'small',
      reserved_at: 'noSeconds',
      available_at: 'seconds',
      created_at: 'seconds',
    },
    'queue',
  ),
  laravel_failed_jobs: madeOf({
    id: 'id',
    uuid: 'unique',
    connection: 'name',
    queue: 'name',
    payload: 'text',
    exception: 'text',
    failed_at: 'time',
  }),
} as const satisfies Readonly<Record<string, MakeTable>>;

function madeOf(columns: Readonly<Record<string, Kind>>, index?: string): MakeTable {
  return (dialect, table, schema) => {
    const quote = (name: string): string => (dialect === 'mysql' ? `\`${name}\`` : `"${name}"`);
    const place = schema === undefined ? quote(table) : `${quote(schema)}.${quote(table)}`;
    const lines = Object.entries(columns).map(([name, kind]) => `  ${quote(name)} ${types[dialect][kind]}`);
    const named = quote(`${table}_${index}_index`);
    if (index !== undefined && dialect === 'mysql') lines.push(`  KEY ${named} (${quote(index)})`);
    const end = dialect === 'mysql' ? ' ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4' : '';
    const made = `CREATE TABLE IF NOT EXISTS ${place} (\n${lines.join(',\n')}\n)${end}`;
    if (index === undefined || dialect === 'mysql') return [made];
    return [made, `CREATE INDEX IF NOT EXISTS ${named} ON ${place} (${quote(index)})`];
  };
}
