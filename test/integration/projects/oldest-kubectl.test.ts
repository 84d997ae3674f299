import { allKubectls } from '#test/testbed/kubectl.ts';
import { applyProjects } from './apply-projects.ts';

for (const kubectl of allKubectls().slice(0, 1)) applyProjects(kubectl);
