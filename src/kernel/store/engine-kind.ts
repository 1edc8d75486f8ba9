/** The storage engines. */
export type EngineKind = "sqlite" | "postgresql";
