"""Reads sets of personas from a file (YAML, JSON or TOML), and ships one."""

from dokimasia.sources.personas.reading import bundled_personas, read_personas
from dokimasia.sources.personas.sets import PersonaSet, Role, Script, SelfQuestion, Trait

__all__ = ["PersonaSet", "Role", "Script", "SelfQuestion", "Trait", "bundled_personas", "read_personas"]
