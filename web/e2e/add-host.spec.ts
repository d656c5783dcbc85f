/** Another machine joins: the page gives one command, it is typed there, and the page says that it worked. */
import { expectNoViolation } from "./axe.ts";
import { UP_MS } from "./bounded.ts";
import { expect, test } from "./journey.ts";
import { picture } from "./pictures.ts";

test("a host is added by typing the command that the page gives", async ({ desk: page, fleet }) => {
  await page.goto("/hosts");
  await page.getByRole("button", { name: "Add a host" }).click();
  const panel = page.getByRole("region", { name: "Add a host" });

  await panel.getByLabel("What is it to be called?").fill("workbench");
  await panel.getByRole("button", { name: "Show the command" }).click();
  await expect(panel.getByRole("alert")).toContainText("There is a host `workbench` already.");
  await picture(page, "add-host-taken");

  await panel.getByLabel("What is it to be called?").fill("vps-2");
  await panel.getByRole("button", { name: "Show the command" }).click();
  const command = panel.getByRole("code").filter({ hasText: "flotilla runner enrol" });
  await expect(command).toHaveText(/^flotilla runner enrol http:\/\/\S+ flt-enrol\.vps-2\.\S+ --start$/);
  await expect(panel.getByRole("img", { name: "The same command as a QR code" })).toBeVisible();
  await expect(panel.getByRole("status")).toContainText("Waiting for vps-2.");
  await expect(panel).toContainText("NATS listens on this machine alone.");
  await picture(page, "add-host-command");
  await expectNoViolation(page, "the command of a new host");

  fleet.typeElsewhere(await command.innerText());
  await expect(panel.getByRole("status")).toContainText("vps-2 is connected.", { timeout: UP_MS });
  await expect(page.getByRole("article", { name: "vps-2" })).toContainText("Online", { timeout: UP_MS });
  await picture(page, "add-host-connected");
  await panel.getByRole("button", { name: "Done" }).click();
  await expect(panel).toBeHidden();
});

test("a host is revoked, says so, and is taken out of the list", async ({ desk: page, fleet, api }) => {
  const made = await api.post<{ command: string }>("/api/enrolments", { host: "vps-2" });
  fleet.typeElsewhere(made.command);
  await page.goto("/hosts");
  const host = page.getByRole("article", { name: "vps-2" });
  await expect(host).toContainText("Online", { timeout: UP_MS });

  await host.getByRole("button", { name: "Revoke", exact: true }).click();
  await host.getByRole("button", { name: "Revoke vps-2" }).scrollIntoViewIfNeeded();
  await picture(page, "revoke-host-asked");
  await host.getByRole("button", { name: "Revoke vps-2" }).click();
  await expect(host).toContainText("Revoked by Ada");
  await host.getByRole("button", { name: "Remove from the list" }).scrollIntoViewIfNeeded();
  await picture(page, "revoke-host-revoked");
  await expectNoViolation(page, "a revoked host");

  await host.getByRole("button", { name: "Remove from the list" }).click();
  await expect(host).toBeHidden();
  await page.reload();
  await expect(page.getByRole("article", { name: "workbench" })).toBeVisible();
  await expect(host).toBeHidden();
});
