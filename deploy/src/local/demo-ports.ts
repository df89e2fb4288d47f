// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isPortFree, portOwner } from "./port-owner.ts";

/** Where deploy/local/mesh.yaml has the proxy listen: RTP; RTCP is one above. */
export const MEDIA_PORTS = { video: 5004, audio: 5006 } as const;
/** Where its backends, that is the viewer, are. */
export const VIEWER_PORTS = { video: 6004, audio: 6006 } as const;
/** All that have to be free: RTP and RTCP of each. */
export const DEMO_UDP_PORTS: readonly number[] = [MEDIA_PORTS, VIEWER_PORTS].flatMap(({ video, audio }) =>
  [video, audio].flatMap((port) => [port, port + 1]),
);
/** Where the viewer hands a copy of everything to whoever plays it. */
export const PLAYER_PORTS = { video: 7004, audio: 7006 } as const;

/** Where deploy/local/rtsp.yaml has the proxy take players, and where it expects the camera. */
export const RTSP_PORTS = { proxy: 8554, camera: 8555 } as const;

/** The mesh's own ports, by their usual numbers. */
const CONTROL_PORTS = { xds: 15010, http: 15014, admin: 15000 } as const;

/** Addresses for `startMesh`. */
export type ControlAddresses = Readonly<Record<keyof typeof CONTROL_PORTS, string>>;

/**
 * Returns the control addresses, a free port in the place of each that is taken, and says so. Throws when one of
 * `needed` is taken, since those are written in the mesh's YAML.
 */
export async function choosePorts(
  print: (line: string) => void,
  transport: "tcp" | "udp",
  needed: readonly number[],
): Promise<ControlAddresses> {
  for (const port of needed) {
    if (await isPortFree(transport, port)) continue;
    const owner = portOwner(transport, port);
    throw new Error(
      `${transport.toUpperCase()} port ${port} is taken by ${owner}. Does the demo run already? Stop it and start again.`,
    );
  }
  const choose = async (name: keyof typeof CONTROL_PORTS): Promise<string> => {
    const port = CONTROL_PORTS[name];
    if (await isPortFree("tcp", port)) return `127.0.0.1:${port}`;
    print(`TCP port ${port} (${name}) is taken by ${portOwner("tcp", port)}: a free one is used instead.`);
    return "127.0.0.1:0";
  };
  return { xds: await choose("xds"), http: await choose("http"), admin: await choose("admin") };
}
