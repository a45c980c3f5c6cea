/**
 * Who may import whom: cli → config → drivers → src, cli → src, cli → loader, drivers/database → migrations.
 *
 * Every rule lists what is allowed, so whatever is not named here (a new package too) is refused. Imports of
 * types count as imports everywhere but in the rule about cycles. test/package/layers.test.ts plants a
 * violation of each rule.
 */

const core = ['core'];

/** The path of a package, found in node_modules or not installed at all; with or without types of its own. */
const packages = (...names) => `^(node_modules/)?(@types/)?(${names.join('|')})(/|$)`;

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'loader-stands-alone',
      comment: 'It loads all else, and is loaded for that first.',
      severity: 'error',
      from: { path: '^loader/' },
      to: { pathNot: '^loader/', dependencyTypesNot: core },
    },
    {
      name: 'src-stands-alone',
      comment: 'The core knows no driver, no config and no command line, and needs nothing but Node.',
      severity: 'error',
      from: { path: '^src/' },
      to: { pathNot: ['^src/', packages('@standard-schema/spec')], dependencyTypesNot: core },
    },
    {
      name: 'src-takes-only-types-from-standard-schema',
      comment: 'The package has no code worth loading: it is a contract between libraries.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: packages('@standard-schema/spec'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'driver-uses-what-third-parties-can',
      comment: 'A driver imports the public API and its own folder, nothing else.',
      severity: 'error',
      from: { path: '^drivers/(?!database/|redis/|webman/)([^/]+)/' },
      to: { pathNot: ['^drivers/$1/', '^src/index\\.ts$'], dependencyTypesNot: core },
    },
    {
      name: 'database-driver-uses-what-third-parties-can',
      comment: 'As every driver, and also the migrations and its clients.',
      severity: 'error',
      from: { path: '^drivers/database/' },
      to: {
        pathNot: [
          '^drivers/database/',
          '^src/index\\.ts$',
          '^migrations/index\\.ts$',
          packages('knex', 'better-sqlite3', 'mysql2', 'pg'),
        ],
        dependencyTypesNot: core,
      },
    },
    {
      name: 'redis-driver-uses-what-third-parties-can',
      comment: 'As every driver, and also its client.',
      severity: 'error',
      from: { path: '^drivers/redis/' },
      to: {
        pathNot: ['^drivers/redis/', '^src/index\\.ts$', packages('ioredis')],
        dependencyTypesNot: core,
      },
    },
    {
      name: 'webman-driver-builds-on-the-redis-driver',
      comment:
        "As every driver, and also the redis driver's way to a server: webman's keys are in the same Redis.",
      severity: 'error',
      from: { path: '^drivers/webman/' },
      to: {
        pathNot: ['^drivers/webman/', '^drivers/redis/', '^src/index\\.ts$'],
        dependencyTypesNot: core,
      },
    },
    {
      name: 'clients-load-when-needed',
      comment:
        'A client is an optional peer: importing a driver must not load it. Load it where it is needed.',
      severity: 'error',
      from: { path: '^drivers/' },
      to: {
        path: packages('knex', 'better-sqlite3', 'mysql2', 'pg', 'ioredis'),
        dependencyTypesNot: ['type-only', 'dynamic-import'],
      },
    },
    {
      name: 'migrations-stand-alone',
      comment: 'Applications run them with a knex of their own, without the driver.',
      severity: 'error',
      from: { path: '^migrations/' },
      to: { pathNot: '^migrations/' },
    },
    {
      name: 'telemetry-loads-when-asked-for',
      comment: 'What metrics and traces need is an optional peer: without them nothing loads it.',
      severity: 'error',
      from: { path: '^(config|cli)/' },
      to: { path: packages('prom-client', '@opentelemetry/api'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'telemetry-is-not-core',
      comment:
        'Metrics and traces watch the queue from outside: neither the config nor the commands need them.',
      severity: 'error',
      from: { path: '^(config/(?!telemetry/)|cli/(?!metrics/))' },
      to: { path: '^config/telemetry/' },
    },
    {
      name: 'config-knows-no-cli',
      comment: 'An application may load its config without the command line.',
      severity: 'error',
      from: { path: '^config/' },
      to: {
        pathNot: [
          '^config/',
          '^drivers/[^/]+/index\\.ts$',
          '^src/',
          packages('jiti', 'tinyglobby', 'fastest-levenshtein', 'prom-client', '@opentelemetry/api'),
        ],
        dependencyTypesNot: core,
      },
    },
    {
      name: 'cli-goes-through-config',
      comment: 'Commands get their connections from the config: no command knows a driver.',
      severity: 'error',
      from: { path: '^cli/' },
      to: {
        pathNot: [
          '^cli/',
          '^config/',
          '^loader/',
          '^src/',
          packages('yargs', 'picocolors', 'cli-table3', 'fastest-levenshtein', 'prom-client'),
        ],
        dependencyTypesNot: core,
      },
    },
    {
      name: 'published-suite-stands-alone',
      comment: 'drover/testing is installed without our dev dependencies and holds third-party drivers too.',
      severity: 'error',
      from: { path: '^test/conformance/' },
      to: { pathNot: ['^test/conformance/', '^src/index\\.ts$'], dependencyTypesNot: core },
    },
    {
      name: 'no-cycles-at-run-time',
      comment: 'Cycles of types are allowed: they are gone before anything runs.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
    },
  },
};
