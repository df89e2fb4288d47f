// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isPortFree, portOwner } from "./port-owner.ts";

/** Where deploy/local/mesh.yaml has the proxy listen: RTP; RTCP is one above. */
export const MEDIA_PORTS = { video: 5004, audio: 5006 } as const;
/** Where its backends, that is the viewer, are. */
export const VIEWER_PORTS = { video: 6004, audio: 6006 } as const;
/** Where the viewer hands a copy of everything to whoever plays it. */
export const PLAYER_PORTS = { video: 7004, audio: 7006 } as const;

/** The mesh's own ports, by their usual numbers. */
const CONTROL_PORTS = { xds: 15010, http: 15014, admin: 15000 } as const;

/** Addresses for `startMesh`. */
export type ControlAddresses = Readonly<Record<keyof typeof CONTROL_PORTS, string>>;

/**
 * Returns the control addresses, a free port in the place of each that is taken, and says so. Throws when a media port
 * is taken, since those are written in mesh.yaml.
 */
export async function choosePorts(print: (line: string) => void): Promise<ControlAddresses> {
  for (const first of [MEDIA_PORTS.video, MEDIA_PORTS.audio, VIEWER_PORTS.video, VIEWER_PORTS.audio]) {
    for (const port of [first, first + 1]) {
      if (await isPortFree("udp", port)) continue;
      const owner = portOwner("udp", port);
      throw new Error(
        `UDP port ${port} is taken by ${owner}. Does the demo run already? Stop it and start again.`,
      );
    }
  }
  const choose = async (name: keyof typeof CONTROL_PORTS): Promise<string> => {
    const port = CONTROL_PORTS[name];
    if (await isPortFree("tcp", port)) return `127.0.0.1:${port}`;
    print(`TCP port ${port} (${name}) is taken by ${portOwner("tcp", port)}: a free one is used instead.`);
    return "127.0.0.1:0";
  };
  return { xds: await choose("xds"), http: await choose("http"), admin: await choose("admin") };
}
