// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { AdminRoute } from "../route.ts";
import { route as help } from "./help.ts";

/** The same list as `/help`, where people look first. */
export const route: AdminRoute = { ...help, path: "/" };
