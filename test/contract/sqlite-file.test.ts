import { contract } from "../support/contract.ts";

contract({ engine: "sqlite-file" });
