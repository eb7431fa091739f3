// The page of a local search, for browsers of this machine.
import type { AddressInfo } from "node:net";
import type { LocalSearch } from "@segnas/operator/local/run.ts";

export interface Page {
  url: string;
  close(): void;
}

/** Serves the page on a port of 127.0.0.1; 0 takes a free one. Throws UserError where it is taken. */
export async function openPage(local: LocalSearch, stateDir: string, port: number): Promise<Page> {
  // Who shows no page need not load what it is made of.
  const { localSource } = await import("@segnas/operator/web/page/local.ts");
  const { servePage } = await import("@segnas/operator/web/page/server.ts");
  const server = await servePage({
    source: localSource(local, stateDir),
    host: "127.0.0.1",
    port,
    failed: (error) => console.error(`The page could not answer: ${(error as Error).message}`),
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
