import type { KnexConfig, KnexInstance } from './knex-types.js';

type Connected = (error: unknown, connection?: unknown) => void;

/** A connection as pg and mysql2 have it before it is made. Without a callback pg answers a promise. */
interface Unmade {
  connect(done?: Connected): unknown;
}

/**
 * Has knex cut off a connection that its server has refused. knex and these packages forget it and leave its end to the
 * server: while that says nothing, it would keep a process alive that is done.
 */
export function dropRefused<Connection>(
  { client: kind }: Pick<KnexConfig, 'client'>,
  { client }: KnexInstance,
  drop: (connection: Connection) => void,
): void {
  if (kind === 'better-sqlite3') return;
  const { driver } = client;
  const watched = <Made extends Unmade & Connection>(connection: Made): Made => {
    const connect = connection.connect.bind(connection);
    const connectOrDrop = (done: Connected): unknown =>
      connect((error, made) => {
        if (error) drop(connection);
        done(error, made);
      });
    connection.connect = (done) =>
      done
        ? connectOrDrop(done)
        : new Promise((resolve, reject) => {
            connectOrDrop((error, made) => (error ? reject(error) : resolve(made)));
          });
    return connection;
  };
  // As knex calls pg, and mysql2.
  const Client = function Client(settings: object) {
    return watched(new driver.Client(settings));
  };
  const createConnection = (settings: object) => watched(driver.createConnection(settings));
  client.driver = Object.create(driver, {
    Client: { value: Client },
    createConnection: { value: createConnection },
  });
}
