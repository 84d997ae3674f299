// Cases that only a real engine can show.
import type { ConformanceCase } from '../conformance.ts';

export const dockerCases: readonly ConformanceCase[] = [];
