/** Why the server cannot start, in one line for whoever started it; anything else that is thrown is a fault of ours. */
export class StartError extends Error {
  override readonly name = "StartError";
}
