"""Reads sets of personas from a file (YAML, JSON or TOML), and ships one."""

from dokimasia.sources.personas.sets import PersonaSet, Role, Script, SelfQuestion, Trait

__all__ = ["PersonaSet", "Role", "Script", "SelfQuestion", "Trait"]
