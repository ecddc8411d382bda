import { drawPanel, linearScale, logScale, PANEL_WIDTH } from './panel.js'

export interface StormPoint {
  /** Offered log-ins as a multiple of what the machine can hash. */
  readonly factor: number
  readonly readP50Ms: number
  readonly readP95Ms: number
  readonly decidedPerSecond: number
  readonly refusedPerSecond: number
}

const MARGIN = 70
const GAP = 90
const WIDTH = 2 * PANEL_WIDTH + MARGIN + GAP + 20
const HEIGHT = 372

// With a background of its own: the page around it may be dark where the system is light.
const STYLE = `
  svg { color-scheme: light dark }
  .paper { fill: #ffffff }
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .small { font-size: 12px }
  .middle { text-anchor: middle }
  .end { text-anchor: end }
  .grid { stroke: #d1d9e0 }
  .level { stroke: #59636e; stroke-dasharray: 3 4 }
  .line { fill: none; stroke-width: 2 }
  .p50, .decided { stroke: #0969da }
  .p95, .refused { stroke: #bc4c00 }
  .line.p95, .line.refused { stroke-dasharray: 7 4 }
  circle { fill: #ffffff; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    .paper, circle { fill: #0d1117 }
    text { fill: #e6edf3 }
    .grid { stroke: #3d444d }
    .level { stroke: #9198a1 }
    .p50, .decided { stroke: #58a6ff }
    .p95, .refused { stroke: #f0883e }
  }`

/** Two panels over the offered log-ins: what readers wait, and what becomes of the log-ins. */
export function drawStorm(points: readonly StormPoint[], capacity: number, readsPerSecond: number): string {
  const steps = points.map(({ factor }) => `${factor} ×`)
  const xLabel = `log-ins offered, 1 × = ${capacity.toFixed(1)}/s, as many as all cores can hash`
  const p50 = points.map(({ readP50Ms }) => readP50Ms)
  const p95 = points.map(({ readP95Ms }) => readP95Ms)
  const decided = points.map(({ decidedPerSecond }) => decidedPerSecond)
  const refused = points.map(({ refusedPerSecond }) => refusedPerSecond)
  const readers = drawPanel({
    left: MARGIN,
    title: `Profile reads, ${readsPerSecond} per second`,
    yLabel: 'latency, ms',
    xLabel,
    steps,
    y: linearScale([...p50, ...p95]),
    lines: [
      { name: 'p50', className: 'p50', values: p50 },
      { name: 'p95', className: 'p95', values: p95 },
    ],
  })
  const logins = drawPanel({
    left: MARGIN + PANEL_WIDTH + GAP,
    title: 'Log-ins',
    yLabel: 'per second, log scale',
    xLabel,
    steps,
    y: logScale([...decided, ...refused]),
    lines: [
      { name: 'decided', className: 'decided', values: decided },
      { name: 'refused (503)', className: 'refused', values: refused },
    ],
    level: { name: 'all cores hashing', value: capacity },
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="Latency of reads and fate of log-ins against the rate of log-ins offered">
<style>${STYLE}
</style>
<rect class="paper" width="100%" height="100%"/>
${readers}
${logins}
</svg>
`
}
