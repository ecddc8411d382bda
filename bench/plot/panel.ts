/** A line chart over steps of equal width, as SVG. */
export interface Panel {
  readonly left: number
  readonly title: string
  readonly yLabel: string
  readonly xLabel: string
  /** Names of the steps. */
  readonly steps: readonly string[]
  readonly y: Scale
  readonly lines: readonly Line[]
  /** A level to compare the lines with. */
  readonly level?: { readonly name: string; readonly value: number }
}

export interface Scale {
  readonly ticks: readonly number[]
  /** From a value to its height: 0 at the axis, 1 at the top; null for what has no place. */
  readonly heightOf: (value: number) => number | null
}

interface Line {
  readonly name: string
  /** Of the style sheet; it sets the colour. */
  readonly className: string
  readonly values: readonly number[]
}

export const PANEL_WIDTH = 380
const PANEL_HEIGHT = 230
const TOP = 78
const BOTTOM = TOP + PANEL_HEIGHT

/** From 0 to a round number above all values. */
export function linearScale(values: readonly number[]): Scale {
  const most = Math.max(...values, 1)
  const power = 10 ** Math.floor(Math.log10(most / 4))
  const step = power * ([1, 2, 5].find((each) => most / (each * power) <= 5) ?? 10)
  const top = Math.ceil(most / step)
  return {
    ticks: Array.from({ length: top + 1 }, (_, i) => Number((i * step).toPrecision(6))),
    heightOf: (value) => value / (top * step),
  }
}

/** Decades from 1 to above all values; what is below 1 has no place. */
export function logScale(values: readonly number[]): Scale {
  const decades = Math.max(1, Math.ceil(Math.log10(Math.max(...values, 1))))
  return {
    ticks: Array.from({ length: decades + 1 }, (_, i) => 10 ** i),
    heightOf: (value) => (value < 1 ? null : Math.log10(value) / decades),
  }
}

export function drawPanel(panel: Panel): string {
  const { left, title, xLabel, yLabel, steps, y, lines, level } = panel
  const xOf = (step: number): number => left + ((step + 0.5) * PANEL_WIDTH) / steps.length
  const yOf = (value: number): number | null => {
    const height = y.heightOf(value)
    return height === null ? null : BOTTOM - height * PANEL_HEIGHT
  }
  const middle = TOP + PANEL_HEIGHT / 2
  return [
    text(left, 26, title, 'title'),
    ...y.ticks.flatMap((value) => drawTick(left, value, yOf(value) ?? BOTTOM)),
    ...steps.map((name, step) => text(xOf(step), BOTTOM + 18, name, 'middle')),
    text(left + PANEL_WIDTH / 2, BOTTOM + 42, xLabel, 'middle'),
    `<text class="middle" transform="translate(${left - 46} ${middle}) rotate(-90)">${yLabel}</text>`,
    ...(level ? drawLevel(left, level.name, yOf(level.value) ?? BOTTOM) : []),
    ...lines.flatMap((line, i) => [
      drawLegend(left + i * 130, line),
      ...drawLine(line, (step, value) => {
        const height = yOf(value)
        return height === null ? null : [xOf(step), height]
      }),
    ]),
  ].join('\n')
}

function drawTick(left: number, value: number, y: number): string[] {
  return [
    `<path class="grid" d="M${left} ${round(y)}h${PANEL_WIDTH}"/>`,
    text(left - 8, y + 4, value.toLocaleString('en'), 'end'),
  ]
}

function drawLevel(left: number, name: string, y: number): string[] {
  return [
    `<path class="level" d="M${left} ${round(y)}h${PANEL_WIDTH}"/>`,
    text(left + 6, y - 6, name, 'small'),
  ]
}

function drawLegend(x: number, { name, className }: Line): string {
  return `<path class="line ${className}" d="M${x} 48h24"/>${text(x + 30, 52, name)}`
}

type Place = (step: number, value: number) => [x: number, y: number] | null

function drawLine({ className, values }: Line, place: Place): string[] {
  const points = values.map((value, step) => place(step, value)).filter((point) => point !== null)
  const path = points.map(([x, y]) => `${round(x)} ${round(y)}`).join('L')
  return [
    ...(points.length > 0 ? [`<path class="line ${className}" d="M${path}"/>`] : []),
    ...points.map(([x, y]) => `<circle class="${className}" cx="${round(x)}" cy="${round(y)}" r="3.5"/>`),
  ]
}

function text(x: number, y: number, content: string, className = ''): string {
  const attribute = className && ` class="${className}"`
  return `<text${attribute} x="${round(x)}" y="${round(y)}">${content}</text>`
}

const round = (value: number): number => Math.round(value * 10) / 10
