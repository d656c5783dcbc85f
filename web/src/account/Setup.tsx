/** The first person of a fleet. Reached by the link that the first run prints, which carries a token and works once. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useLocation } from "wouter";
import { routes } from "../api/routes.ts";
import { Door, Field } from "./Door.tsx";

export function Setup(): ReactNode {
  const [linked] = useState(tokenInAddress);
  const [token, setToken] = useState(linked);
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [, navigate] = useLocation();
  const queries = useQueryClient();
  const setup = useMutation({
    mutationFn: routes.setup,
    onSuccess: async () => {
      await queries.resetQueries({ queryKey: ["me"] });
      // The token has done its work: it need not stay in the address.
      navigate("/", { replace: true });
    },
  });
  return (
    <Door
      title="Set up Flotilla"
      words="You are the first here. This account may do everything; more people can be added later."
      action="Create account"
      error={setup.error}
      busy={setup.isPending}
      onSubmit={() => setup.mutate({ token, name, email, password })}
    >
      {linked === "" ? (
        <Field
          label="Setup token"
          name="token"
          autoComplete="off"
          value={token}
          hint="It is in the setup link that the first run of “flotilla up” printed."
          onChange={setToken}
        />
      ) : null}
      <Field label="Name" name="name" autoComplete="name" value={name} onChange={setName} />
      <Field
        label="Email"
        name="email"
        type="email"
        autoComplete="username"
        value={email}
        onChange={setEmail}
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        value={password}
        hint="At least ten characters."
        onChange={setPassword}
      />
    </Door>
  );
}

/** In the fragment, where no server and no log sees it, or as a parameter. */
function tokenInAddress(): string {
  const { hash, search } = window.location;
  const fragment = hash.slice(1);
  const inFragment = new URLSearchParams(fragment).get("token") ?? (fragment.includes("=") ? "" : fragment);
  return inFragment || (new URLSearchParams(search).get("token") ?? "");
}
