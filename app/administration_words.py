"""What the Administration page says of troubles, checks and settings: English keys, for `app.text.Voice`."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.health import Kind


@dataclass(frozen=True, slots=True)
class Advice:
    """What happened, and what to do about it."""

    happened: str
    do: str


ENDPOINT: Mapping[Kind, Advice] = {
    "unreachable": Advice(
        "Nobody answers at the endpoint's address.",
        "See whether its server runs and the network reaches it, then check again.",
    ),
    "late": Advice(
        "The endpoint gave no answer in time.",
        "See what else its server is doing. If it is always slow, raise TRIAGE_EMBEDDING_TIMEOUT.",
    ),
    "busy": Advice(
        "The endpoint is overloaded or still starting.",
        "Check again in a minute. If it stays so, lower TRIAGE_EMBEDDING_CONCURRENCY.",
    ),
    "refused": Advice(
        "The endpoint refuses the request.",
        "Compare key, address and model name with those of its server: TRIAGE_EMBEDDING_API_KEY, _URL, _MODEL.",
    ),
    "bad answer": Advice(
        "Something answers at the endpoint's address, but not with vectors.",
        "Run the contract check below. Another program may have this address.",
    ),
    "other space": Advice(
        "Another embedding model answers than the one that the desk's model was trained with.",
        "Start the server with the embedding model named under Versions, or use a version trained for this one.",
    ),
    "bundle": Advice(
        "The model in use can't be loaded.",
        "Under Versions, check its files, go back to the version before, or use another one.",
    ),
    "setting": Advice("A setting can't be used.", "Correct it where the desk is started, and start the desk again."),
}
STORES: Mapping[str, Advice] = {
    "cache": Advice(
        "What was put into the cache did not come back.",
        "See whether its server runs; for a file, whether the disk is full or its folder can't be written.",
    ),
    "records": Advice(
        "The records can't be read.",
        "See whether the database runs and TRIAGE_DATABASE_URL names it; for a file, whether it can be written.",
    ),
}
UNFORESEEN = Advice(
    "The check ended in a way that was not foreseen.",
    "Look into the desk's log. If it stays so, start the desk again.",
)
STILL_WORKS: Mapping[str, str] = {
    "endpoint": "Pages and records still work. Notes get no answer: triage by hand until then.",
    "cache": "Everything still works. Texts seen before take as long as new ones.",
    "records": "Notes are still assessed. Answers and decisions may not be recorded meanwhile.",
}
CHECKS: Mapping[str, str] = {
    "ready": "It answers",
    "order": "Vectors come in the order of the texts",
    "batch equals single": "A text gets the same vector alone and in a list",
    "determinism": "Asked twice, it gives the same vector",
    "finite": "Vectors hold numbers only",
    "dimension": "Vectors have the length expected",
    "blank text": "An empty text does no harm",
    "over-long text": "A far too long text does no harm",
    "longest text": "The longest text that is sent is taken",
    "longest list": "The longest list that is sent is taken",
    "latency of 1": "Time for one text",
    "latency of 8": "Time for 8 texts",
    "latency of 32": "Time for 32 texts",
}
SETTINGS: Mapping[str, str] = {
    "TRIAGE_EMBEDDING_URL": "Address of the embedding endpoint",
    "TRIAGE_EMBEDDING_MODEL": "Model name sent to the endpoint",
    "TRIAGE_EMBEDDING_API_KEY": "Key for the endpoint",
    "TRIAGE_EMBEDDING_INSTRUCTION": "Instruction put before each text",
    "TRIAGE_EMBEDDING_DIMENSIONS": "Leading components kept of each vector",
    "TRIAGE_EMBEDDING_MAX_TOKENS": "Longest text sent, in estimated tokens",
    "TRIAGE_EMBEDDING_CONCURRENCY": "Requests under way at once",
    "TRIAGE_EMBEDDING_PRIORITY": "Priority sent with a person's note",
    "TRIAGE_EMBEDDING_TIMEOUT": "Seconds until a pasted note is given up",
    "TRIAGE_CACHE_URL": "Where vectors are kept for a day",
    "TRIAGE_DATABASE_URL": "Database of the records",
    "TRIAGE_KEEP_TEXTS_DAYS": "Days that texts of changed notes are kept",
    "TRIAGE_TEXTS_KEY": "Key of the texts that are kept",
    "TRIAGE_MODEL": "Folder of the model, instead of the version in use",
    "TRIAGE_ACUITY_SCHEME": "Names, colours and times of the acuity levels",
    "TRIAGE_API_NOTES_PER_MINUTE": "Notes that each key may send in a minute",
    "TRIAGE_API_JOBS_PER_HOUR": "Tables that each key may send in an hour",
    "TRIAGE_LOG_FORMAT": "How the server's log is written: json or text",
    "TRIAGE_OIDC_METADATA_URL": "Where the sign-in service describes itself",
    "TRIAGE_OIDC_CLIENT_ID": "How the sign-in service knows the desk",
    "TRIAGE_OIDC_CLIENT_SECRET": "What the desk proves that with",
    "TRIAGE_PUBLIC_URL": "Address under which people reach the desk",
    "TRIAGE_COOKIE_SECRET": "Signs the cookies of sign-in",
    "TRIAGE_ROLES_CLAIM": "Claim that holds a person's roles",
    "TRIAGE_ROLES": "Your own names for the roles",
    "TRIAGE_IDLE_MINUTES": "Minutes until a page that nobody uses is signed out",
    "TRIAGE_LANGUAGE": "Language of pages and messages",
    "TRIAGE_DATA_DIR": "Folder of cache, versions and records",
}
# What holds where a setting is not set and has no value of its own.
UNSET: Mapping[str, str] = {
    "TRIAGE_EMBEDDING_URL": "the endpoint that comes with the desk",
    "TRIAGE_EMBEDDING_MODEL": "as the model in use was trained",
    "TRIAGE_EMBEDDING_INSTRUCTION": "as the model in use was trained",
    "TRIAGE_EMBEDDING_DIMENSIONS": "as the model in use was trained",
    "TRIAGE_EMBEDDING_MAX_TOKENS": "as the model in use was trained",
    "TRIAGE_EMBEDDING_PRIORITY": "none is sent; tables give way to notes",
    "TRIAGE_CACHE_URL": "a file in the data folder",
    "TRIAGE_DATABASE_URL": "a file in the data folder",
    "TRIAGE_MODEL": "the version in use, see Versions",
    "TRIAGE_LOG_FORMAT": "text on a terminal, else json",
    "TRIAGE_OIDC_METADATA_URL": "nobody signs in",
    "TRIAGE_COOKIE_SECRET": "made once, in the data folder",
    "TRIAGE_ROLES": "nurse, lead, researcher, administrator",
    "TRIAGE_LANGUAGE": "the reader's own",
}


def advice(part: str, kind: Kind) -> Advice:
    """What to say where a part of the desk (`endpoint`, `cache`, `records`) is in trouble."""
    if part == "endpoint":
        return ENDPOINT.get(kind, UNFORESEEN)
    if kind == "setting":
        return ENDPOINT["setting"]
    return STORES[part]
