// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { partOfDatapath } from "../part-of-datapath.ts";

export const bench = partOfDatapath("sessions beside C, node:dgram and others", ["relay", "others"]);
