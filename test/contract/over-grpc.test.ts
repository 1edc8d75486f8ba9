import { contract } from "../support/contract.ts";

contract({ engine: "sqlite-memory", distance: "grpc" });
