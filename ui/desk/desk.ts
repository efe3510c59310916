// What the desk does with a script, room by room. Every form works without it.
import { focal } from "./medium/focal";
import { menus } from "./menus";
import { order } from "./order";
import { sideBySide } from "./translate/translate";
import { look } from "./site/look";
import { passkeys } from "./signin/passkey";
import { status } from "./write/status";

menus(document);
passkeys(document);
order(document);
sideBySide(document);
focal(document);
look(document);
status(document);
