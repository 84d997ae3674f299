/** Whether all of several sinks have kept what they got; at once where they all answer at once. */
export function allKept(results: readonly (boolean | Promise<boolean>)[]): boolean | Promise<boolean> {
  const known = results.filter((one) => typeof one === 'boolean');
  const waited = results.filter((one) => typeof one !== 'boolean');
  if (waited.length === 0) return known.every(Boolean);
  return Promise.all(waited).then((late) => known.every(Boolean) && late.every(Boolean));
}
