// What the public site does with a script. Every page works without it.
import { clickToLoad } from "./story/embed";

clickToLoad(document);
