// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { costScenario } from "../cost-scenario.ts";
import { ordinary } from "../loads.ts";
import { cses, proxy } from "../relays.ts";
import { FAR_ADDRESS, NEAR_ADDRESS, whyNoVeth, withVeth } from "../veth.ts";

const relay = costScenario({
  title: "1316 B, 8 flows, 150,000/s one by one, over veth between two network namespaces",
  load: ordinary,
  contestants: (context) => [
    { relay: { ...cses(context), env: { IN: NEAR_ADDRESS, OUT: FAR_ADDRESS } } },
    { relay: proxy(context, { name: "proxy over veth", address: NEAR_ADDRESS, endpoints: [FAR_ADDRESS] }) },
  ],
  goals: [],
});

/** The relays are here, generator and sink at the far end. */
export const scenario = {
  ...relay,
  missing: whyNoVeth,
  run: (context: Parameters<typeof relay.run>[0]) =>
    withVeth(({ enter }) =>
      relay.run({ ...context, site: { ...context.site, enter, address: NEAR_ADDRESS } }),
    ),
};
