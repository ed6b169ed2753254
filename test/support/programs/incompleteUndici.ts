// Agents that cannot make requests, like those of Bun.
class Agent {}

export { Agent, Agent as EnvHttpProxyAgent, Agent as Pool, Agent as ProxyAgent }
export default {}
