// msgpackr falls back to plain JavaScript when its native part cannot be loaded.
throw new Error('msgpackr-extract is not installed');
