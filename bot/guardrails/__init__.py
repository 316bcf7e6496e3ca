"""Guardrails: what comes in is screened, what goes out is inspected. The policy is data in ``prompts/policy/``."""
