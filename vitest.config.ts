import { defineConfig } from 'vitest/config';

/** Tests are sorted into projects by what they need: nothing, Docker, or whole hosts of their own. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{base,api,client,apiserver,scheduler,controller-manager,cloud-controller-manager,kubelet,kube-proxy,kubeadm,addons,cli,testing,scripts}/**/*.test.ts',
            'test/conformance/**/*.test.ts',
          ],
          exclude: ['**/*.{docker,etcd,host,e2e}.test.ts', '**/node_modules/**'],
          setupFiles: ['test/property-seed.ts'],
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'etcd',
          include: ['**/*.etcd.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'docker',
          include: ['**/*.{docker,host}.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/{integration,e2e,chaos}/**/*.test.ts', 'test/conformance/**/*.e2e.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'soak',
          include: ['test/soak/**/*.test.ts'],
          testTimeout: 24 * 3_600_000,
          hookTimeout: 600_000,
          maxWorkers: 1,
        },
      },
    ],
  },
});
