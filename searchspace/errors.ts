// The one error for a person's mistake, shared by every room.

/**
 * A mistake in what a person wrote or gave: the message is one sentence that names the place
 * (field path or file), what is wrong and what to write. Programs print it without a stack and exit 64.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}
