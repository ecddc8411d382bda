const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * The address of what a guard relies on: https, or plain http to this very machine or where it was asked for. Whoever can
 * change that on its way can let anybody in. Throws a RangeError that names the option, and not its value.
 */
export function toSafeUrl(option: string, text: string, allowPlainHttp: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  const isSafe =
    url?.protocol === 'https:' ||
    (url?.protocol === 'http:' && (allowPlainHttp || LOOPBACK.test(url.hostname)))
  if (url === null || !isSafe) throw new RangeError(`The ${option} must be an https address`)
  if (url.username !== '' || url.password !== '') throw new RangeError(`The ${option} must hold no password`)
  return url
}
