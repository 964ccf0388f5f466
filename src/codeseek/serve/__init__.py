"""HTTP for programs and MCP for agents, over the same engines."""
