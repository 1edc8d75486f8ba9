import { contract } from "../support/contract.ts";

contract({ engine: "postgresql" });
