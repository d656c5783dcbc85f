/** For people who have been here before. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { routes } from "../api/routes.ts";
import { Door, Field } from "./Door.tsx";

export function SignIn(): ReactNode {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const queries = useQueryClient();
  const login = useMutation({
    mutationFn: routes.login,
    onSuccess: () => queries.resetQueries({ queryKey: ["me"] }),
  });
  return (
    <Door
      title="Sign in to Flotilla"
      words="Your agents go on while you are away."
      action="Sign in"
      error={login.error}
      busy={login.isPending}
      onSubmit={() => login.mutate({ email, password })}
    >
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
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
      />
    </Door>
  );
}
