/**
 * Imports run one way: cli -> app -> http -> admission, rehearsals, scheduler -> orders -> catalog, ids, operators, webhooks -> queue, payments -> ledger -> faults -> platform.
 * A folder may import folders to its right in this list, never folders to its left.
 */
const floors = [
  ['cli'],
  ['app'],
  ['http'],
  ['admission', 'rehearsals', 'scheduler'],
  ['orders'],
  ['catalog', 'ids', 'operators', 'webhooks'],
  ['queue', 'payments'],
  ['ledger'],
  ['faults'],
  ['platform'],
];

/** The same within engine/src/http: routes -> server -> buying, description -> identity -> limits -> pages, streams -> answers. */
const httpFloors = [
  ['routes'],
  ['server'],
  ['buying', 'description'],
  ['identity'],
  ['limits'],
  ['pages', 'streams'],
  ['answers'],
];

const pathOf = floor => `^engine/src/(${floor.join('|').replaceAll('.', '\\.')})(/|$)`;

const oneWay = floors.slice(1).map((floor, position) => ({
  name: `one-way-${floor[0]}`,
  comment: `${floor.join(', ')} may not import the layers above`,
  severity: 'error',
  from: { path: pathOf(floor) },
  to: { path: pathOf(floors.slice(0, position + 1).flat()) },
}));

const httpPathOf = floor => `^engine/src/http/(${floor.join('|')})/`;

const httpOneWay = httpFloors.slice(1).map((floor, position) => ({
  name: `one-way-http-${floor[0]}`,
  comment: `http/${floor.join(', http/')} may not import the layers above`,
  severity: 'error',
  from: { path: httpPathOf(floor) },
  to: { path: httpPathOf(httpFloors.slice(0, position + 1).flat()) },
}));

const apart = floors
  .filter(floor => floor.length > 1)
  .map(floor => ({
    name: `apart-${floor.join('-')}`,
    comment: `${floor.join(' and ')} may not import each other`,
    severity: 'error',
    from: { path: pathOf(floor) },
    to: { path: pathOf(floor), pathNot: '^engine/src/$1/' },
  }));

export default {
  forbidden: [
    ...oneWay,
    ...httpOneWay,
    ...apart,
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'loadgen-is-a-black-box',
      comment: 'the load generator judges the engine, so it shares no code with it',
      severity: 'error',
      from: { path: '^loadgen/' },
      to: { path: '^(engine|client)/' },
    },
    {
      name: 'engine-knows-no-generator',
      severity: 'error',
      from: { path: '^engine/src/' },
      to: { path: '^(client|loadgen|web)/' },
    },
    {
      name: 'client-knows-the-api-alone',
      comment: 'it runs in browsers and in other programs, on the generated types',
      severity: 'error',
      from: { path: '^client/' },
      to: { path: '^(engine|loadgen|web)/' },
    },
    {
      name: 'web-knows-the-api-alone',
      comment: 'pages are built on the HTTP API and its client',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^(engine|loadgen)/' },
    },
    {
      name: 'web-style-knows-no-room',
      comment:
        'web/src: app -> shop, console -> ui. All of them may call the API; ui is what shop and console share',
      severity: 'error',
      from: { path: '^web/src/(ui|api)/' },
      to: { path: '^web/src/(app|shop|console)/' },
    },
    {
      name: 'web-rooms-know-no-pages',
      severity: 'error',
      from: { path: '^web/src/(shop|console)/' },
      to: { path: '^web/src/app/' },
    },
    {
      name: 'web-rooms-are-apart',
      comment:
        'shoppers load no code of the console, and the console does not know about purchases in progress',
      severity: 'error',
      from: { path: '^web/src/(shop|console)/' },
      to: { path: '^web/src/(shop|console)/', pathNot: '^web/src/$1/' },
    },
    {
      name: 'metrics-in-one-place',
      comment: 'the engine counts in plain numbers; only one folder exposes them to Prometheus',
      severity: 'error',
      from: { path: '^engine/src/', pathNot: '^engine/src/platform/telemetry/' },
      to: { path: 'node_modules/prom-client' },
    },
    { name: 'no-missing', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.test\\.ts$' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
