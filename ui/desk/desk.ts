// What the desk does with a script, room by room. Every form works without it.
import { order } from "./order";
import { focal } from "./medium/focal";
import { passkeys } from "./signin/passkey";

passkeys(document);
focal(document);
order(document);
