/** Where the session that is shown works on its host: the rows tell paths from there. */
import { createContext } from "react";

export const WorktreeContext = createContext<string | null>(null);
