import { allKubectls } from '#test/testbed/kubectl.ts';
import { applyProjects } from './apply-projects.ts';

for (const kubectl of allKubectls().slice(-1)) applyProjects(kubectl);
