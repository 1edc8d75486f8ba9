import { busyNeighbour } from "../support/busy-neighbour.ts";
import { contract } from "../support/contract.ts";

contract({ engine: "sqlite-memory" }, busyNeighbour);
