/**
 * One address in front of several coordinators, as a load balancer is: connections go to the first that takes them.
 * Knows bytes, and neither HTTP nor sockets.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Forwarder {
  private readonly server: Server;
  private readonly ports: readonly number[];
  private readonly open = new Set<Socket>();

  private constructor(ports: readonly number[]) {
    this.ports = ports;
    this.server = createServer((socket) => this.forward(socket, this.ports));
  }

  static async before(...ports: readonly number[]): Promise<Forwarder> {
    const forwarder = new Forwarder(ports);
    forwarder.server.listen(0, "127.0.0.1");
    await once(forwarder.server, "listening");
    return forwarder;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  end(): void {
    this.server.close();
    for (const socket of this.open) socket.destroy();
  }

  private forward(near: Socket, [port, ...others]: readonly number[]): void {
    this.keep(near);
    if (port === undefined) return void near.destroy();
    const far = connect(port, "127.0.0.1");
    this.keep(far);
    let connected = false;
    far.once("connect", () => {
      connected = true;
      near.pipe(far).pipe(near);
    });
    far.once("close", () => {
      if (connected) near.destroy();
      else this.forward(near, others);
    });
    near.once("close", () => far.destroy());
  }

  private keep(socket: Socket): void {
    this.open.add(socket);
    // A reset is an end like any other, and comes with "close".
    socket.on("error", () => {});
    socket.once("close", () => this.open.delete(socket));
  }
}
