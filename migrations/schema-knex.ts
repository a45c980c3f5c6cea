/**
 * The part of knex that migrations use, described here so that projects without knex can still type-check
 * against drover. A Knex instance or transaction fits it as it is.
 */
export interface SchemaKnex {
  /** `dialect` is `postgresql`, `mysql` or `sqlite3`. */
  // biome-ignore lint/suspicious/noExplicitAny: knex says no more about it.
  readonly client: any;
  readonly schema: SchemaBuilder;
}

/** knex's schema builder, as far as migrations use it. */
export interface SchemaBuilder extends SchemaStatements {
  createTable(name: string, build: (table: TableBuilder) => void): SchemaBuilder;
  dropTableIfExists(name: string): SchemaBuilder;
  raw(sql: string, bindings: readonly unknown[]): SchemaBuilder;
  withSchema(name: string): SchemaBuilder;
}

/** What a migration answers: a schema builder, which runs when awaited or hands out its statements. */
export interface SchemaStatements extends PromiseLike<unknown> {
  toSQL(): SchemaStatement | SchemaStatement[];
}

/** One statement of a schema builder. */
export interface SchemaStatement {
  readonly sql: string;
}

/** The column and index methods that migrations use. */
export interface TableBuilder {
  bigIncrements(column: string): ColumnBuilder;
  string(column: string, length: number): ColumnBuilder;
  text(column: string, size: string): ColumnBuilder;
  integer(column: string): ColumnBuilder;
  bigInteger(column: string): ColumnBuilder;
  unique(columns: readonly string[], options: { indexName: string }): unknown;
  index(columns: readonly string[], name: string): unknown;
  /** These three are MySQL's; other dialects refuse them. */
  engine(name: string): unknown;
  charset(name: string): unknown;
  collate(name: string): unknown;
}

/** What migrations say about one column. */
export interface ColumnBuilder {
  notNullable(): ColumnBuilder;
  primary(): ColumnBuilder;
}
