import { describe, expect, test } from 'vitest';
import { explainMysql, isMysqlConflict } from '../../drivers/database/dialects/mysql-errors.js';
import { explainPostgres, isPostgresConflict } from '../../drivers/database/dialects/postgres-errors.js';
import { explain, NotConnected } from '../../drivers/database/errors.js';

const passing = { code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: false };
const open = { code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: true };
const full = { code: 'E_STORE_FULL', transient: true, ambiguous: false };
const schema = { code: 'E_STORE_SCHEMA', transient: false, ambiguous: false };
const config = { code: 'E_CONFIG', transient: false, ambiguous: false };
const unknown = { code: 'E_STORE_UNAVAILABLE', transient: false, ambiguous: false };

/** What comes from the server has a number, what comes from the system a code. */
const thrownBy = (given: number | string): Error =>
  Object.assign(
    new Error('as it says'),
    typeof given === 'number' ? { errno: given, code: 'ER_X' } : { code: given },
  );

const network: [string, object][] = [
  ['ECONNREFUSED', passing],
  ['ENOTFOUND', passing],
  ['EAI_AGAIN', passing],
  ['ECONNRESET', open],
  ['EPIPE', open],
  ['ETIMEDOUT', open],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', config],
];

describe('mysql', () => {
  test.each<[number | string, object]>([
    ...network,
    ['PROTOCOL_CONNECTION_LOST', open],
    ['HANDSHAKE_NO_SSL_SUPPORT', config],
    [1213, passing],
    [1205, passing],
    [1020, passing],
    [2006, open],
    [2013, open],
    [4031, open],
    [1053, open],
    [1927, open],
    [1317, passing],
    [1040, passing],
    [1203, passing],
    [1226, passing],
    [1290, passing],
    [1836, passing],
    [1114, full],
    [1021, full],
    [3675, full],
    [1153, { code: 'E_PAYLOAD_TOO_LARGE', transient: false }],
    [1146, schema],
    [1054, schema],
    [1050, schema],
    [1062, schema],
    [1366, schema],
    [1406, schema],
    [1045, config],
    [1049, config],
    [1064, unknown],
  ])('%s', (given, expected) => {
    const cause = thrownBy(given);
    const error = explainMysql(cause, 'mysql at db:3306/app');
    expect(error).toMatchObject({ ...expected, cause });
    expect(error.message).toMatch(/^mysql at db:3306\/app .*as it says|^mysql at db:3306\/app: as it says/);
  });

  test.each([1213, 1205, 1020, 1615])('%s is tried again', (errno) => {
    expect(isMysqlConflict(thrownBy(errno))).toBe(true);
  });

  test.each([1062, 2013, 1114, 'ECONNRESET'])('%s is not tried again unasked', (given) => {
    expect(isMysqlConflict(thrownBy(given))).toBe(false);
  });
});

describe('postgres', () => {
  test.each<[string, object]>([
    ...network,
    ['40001', passing],
    ['40P01', passing],
    ['55P03', passing],
    ['57P01', open],
    ['57P02', open],
    ['08006', open],
    ['57P03', passing],
    ['57014', passing],
    ['53300', passing],
    ['25006', passing],
    ['53100', full],
    ['42P01', schema],
    ['42703', schema],
    ['42P07', schema],
    ['23505', schema],
    ['22001', schema],
    ['22021', { code: 'E_PAYLOAD_INVALID', transient: false }],
    ['54000', { code: 'E_PAYLOAD_TOO_LARGE', transient: false }],
    ['28P01', config],
    ['3D000', config],
    ['42501', config],
    ['XX001', { code: 'E_STORE_CORRUPT', transient: false }],
    ['42601', unknown],
  ])('%s', (given, expected) => {
    const cause = thrownBy(given);
    const error = explainPostgres(cause, 'postgres at db:5432/app');
    expect(error).toMatchObject({ ...expected, cause });
    expect(error.message).toMatch(
      /^postgres at db:5432\/app .*as it says|^postgres at db:5432\/app: as it says/,
    );
  });

  test.each(['40001', '40P01', '55P03', '26000'])('%s is tried again', (code) => {
    expect(isPostgresConflict(thrownBy(code))).toBe(true);
  });

  test.each(['23505', '57P01', '0A000', 'ECONNRESET'])('%s is not tried again unasked', (code) => {
    expect(isPostgresConflict(thrownBy(code))).toBe(false);
  });

  test('what pg says without a code is told apart', () => {
    const place = 'x';
    expect(explainPostgres(new Error('Connection terminated unexpectedly'), place)).toMatchObject(open);
    expect(explainPostgres(new Error('SASL: no password was given'), place)).toMatchObject(config);
    expect(explainPostgres(new Error('timeout expired'), place)).toMatchObject(passing);
  });
});

test('where no connection was to be had nothing is open', () => {
  const dialect = { place: 'mysql at db:3306/app', explain: explainMysql };
  const lost = thrownBy('ECONNRESET');
  expect(explain(lost, dialect)).toMatchObject(open);
  expect(explain(new NotConnected(lost), dialect)).toMatchObject({ ...passing, cause: lost });
});
