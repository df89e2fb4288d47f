// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { partOfDatapath } from "../part-of-datapath.ts";

export const bench = partOfDatapath("one source, 50 receivers, beside C", ["fanout-runs", "fanout-ordinary"]);
