// What the server says of attack paths.
import type { Schema } from "../../api/client";

export type Paths = Schema<"Paths">;
export type Path = Schema<"Path">;
export type PathStep = Schema<"PathStep">;
export type PathHost = Schema<"PathHost">;
export type PathJewel = Schema<"PathJewel">;
export type PathChance = Schema<"PathChance">;
export type PathFixes = Schema<"PathFixes">;
export type Fix = Schema<"Fix">;
export type FixSet = Schema<"FixSet">;
export type WhatIf = Schema<"WhatIf">;
export type WhatIfJewel = Schema<"WhatIfJewel">;
