/** The three places of the app, for the column and for the bar. */
import { Inbox, Layers, Server } from "lucide-react";

export const places = [
  { href: "/approvals", title: "Approvals", icon: Inbox },
  { href: "/sessions", title: "Sessions", icon: Layers },
  { href: "/hosts", title: "Hosts", icon: Server },
] as const;
