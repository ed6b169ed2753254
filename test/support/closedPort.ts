/**
 * A port on which nothing listens. It is below those that a system assigns: a server of another test cannot get it,
 * as it can get the port of a server that has just closed.
 */
export const closedPort = 2
