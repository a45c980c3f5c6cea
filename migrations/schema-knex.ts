/**
 * The part of knex that migrations use, described here so that projects without knex can still type-check
 * against drover. A Knex instance or transaction fits it as it is.
 */
export interface SchemaKnex {
  readonly schema: {
    createTable(name: string, build: (table: TableBuilder) => void): SchemaStatements;
    dropTableIfExists(name: string): SchemaStatements;
  };
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
  increments(column: string): ColumnBuilder;
  string(column: string, length: number): ColumnBuilder;
  text(column: string, size: string): ColumnBuilder;
  integer(column: string): ColumnBuilder;
  bigInteger(column: string): ColumnBuilder;
  unique(columns: readonly string[], options: { indexName: string }): unknown;
  index(columns: readonly string[], name: string): unknown;
}

/** What migrations say about one column. */
export interface ColumnBuilder {
  notNullable(): ColumnBuilder;
  primary(): ColumnBuilder;
}
