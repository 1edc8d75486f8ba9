/** The server cannot start. Its message is one line for the operator, who gets the stack of any other error. */
export class StartError extends Error {
  override readonly name = "StartError";
}
