// What the desk does with a script, room by room. Every form works without it.
import { passkeys } from "./signin/passkey";

passkeys(document);
