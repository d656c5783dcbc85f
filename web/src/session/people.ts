/** What the people of a session are called, by their id: who looks, who began it, and who has decided something in it. */
import { createContext } from "react";

export type People = Readonly<Record<string, string>>;

export const PeopleContext = createContext<People>({});
