"""The makers' key formats, one line each.

Facts are the makers' own: platform.openai.com, docs.anthropic.com, ai.google.dev and cloud.google.com
(authentication), docs.aws.amazon.com (IAM identifiers, Bedrock API keys), learn.microsoft.com (Azure, Entra),
docs.github.com, docs.gitlab.com (token overview), api.slack.com (token types), docs.stripe.com, twilio.com/docs,
docs.sendgrid.com, huggingface.co/docs, docs.docker.com, docs.digitalocean.com, shopify.dev, core.telegram.org/bots,
discord.com/developers, docs.npmjs.com, pypi.org/help. Keys of Mistral, Cohere, Azure OpenAI's first generation,
Twilio's auth token and others have no form of their own: the name before them tells them (`rules.BY_CONTEXT`).

Lengths are lower bounds, a little under what is issued today: makers lengthen their keys. A rule asks for a digit or a
capital where its prefix could also begin a hyphenated word.
"""

from __future__ import annotations

import re
from itertools import product

from collector.redact.rule import Rule, token

_MIXED = r"(?=[a-z_-]{0,64}[A-Z0-9])"  # not just a long hyphenated word, nor a row of beginnings
_WORD = r"[A-Za-z0-9]"

_MODELS = (  # makers of models, and what is around them
    token("sk-", rf"(?:(?:proj|ant|svcacct|admin|None|or|lf|helicone)-[\w-]{{12,}}|{_MIXED}[\w-]{{16,}}|[a-z]{{20,}})"),
    token("AIza", r"[\w-]{30,}"),  # Google
    token("AQ.A", r"[\w-]{30,}"),  # Google, since 2026
    token("hf_", rf"{_WORD}{{30,}}"),  # Hugging Face
    token("api_org_", rf"{_WORD}{{30,}}"),
    token("gsk_", rf"{_WORD}{{20,}}"),  # Groq
    token("xai-", rf"{_WORD}{{20,}}"),
    token("pplx-", rf"{_WORD}{{20,}}"),  # Perplexity
    token("r8_", rf"{_WORD}{{30,}}"),  # Replicate
    token("nvapi-", r"[\w-]{20,}"),
    token("tgp_v1_", r"[\w-]{30,}"),  # Together
    token("fw_", _MIXED + rf"{_WORD}{{20,}}"),  # Fireworks
    token("csk-", _MIXED + rf"{_WORD}{{30,}}"),  # Cerebras
    token("esecret_", r"\w{20,}"),  # Anyscale
    token("rpa_", r"[A-Z0-9]{30,}"),  # RunPod
    token("jina_", r"\w{40,}"),
    token("llx-", rf"{_WORD}{{30,}}"),  # LlamaCloud
    token("pcsk_", r"\w{20,}"),  # Pinecone
    token("tvly-", _MIXED + r"[\w-]{16,}"),  # Tavily
    token("fc-", r"[0-9a-f]{32}(?![\w-])"),  # Firecrawl
    token("e2b_", r"[0-9a-f]{32,}"),
    token("lsv2_", r"[a-z]{2}_\w{16,}"),  # LangSmith
    token("ls__", r"[a-f0-9]{32}"),
    token("pylf_v", r"\d+_[a-z]+_\w{20,}"),  # Logfire
    token("wandb_v1_", r"\w{30,}"),
    token("sk_", r"[0-9a-f]{40,}"),  # ElevenLabs
    token("bce-v3/", r"ALTAK-[\w/-]{20,}"),  # Baidu
)

_CLOUDS = (
    *(token(kind, r"[A-Z0-9]{16}(?![A-Za-z0-9])") for kind in ("AKIA", "ASIA", "ABIA", "ACCA")),  # AWS
    Rule(  # the secret beside an AWS key id: 40 characters of base64 with all three sorts
        "SECRET",
        ("AKIA", "ASIA"),
        re.compile(
            r"(?<![A-Za-z0-9+/=_-])(?=[^A-Z]{0,39}[A-Z])(?=[^a-z]{0,39}[a-z])(?=[^0-9]{0,39}[0-9])"
            r"[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=_-])"
        ),
    ),
    token("ABSK", r"[A-Za-z0-9+/]{60,}={0,2}"),  # Bedrock
    token("bedrock-api-key-", r"[A-Za-z0-9+/=_-]{20,}"),
    token("ya29.", r"[\w-]{20,}"),  # Google OAuth
    token("GOCSPX-", r"[\w-]{20,}"),
    token("LTAI", rf"{_WORD}{{16,}}(?![A-Za-z0-9])"),  # Alibaba
    token("dop_v1_", r"[a-f0-9]{30,}"),  # DigitalOcean
    token("doo_v1_", r"[a-f0-9]{30,}"),
    token("dor_v1_", r"[a-f0-9]{30,}"),
    token("HRKU-", r"[\w-]{20,}"),  # Heroku
    token("fm2_", r"[\w+/=-]{40,}"),  # Fly
    token("sbp_", r"[a-f0-9]{30,}"),  # Supabase
    token("sb_secret_", r"[\w-]{20,}"),
    token("vck_", rf"{_WORD}{{20,}}"),  # Vercel
    token("dapi", r"[a-f0-9]{32}"),  # Databricks
    token("pscale_", r"(?:pw|tkn|oauth)_[\w.-]{29,}[\w-]"),
    token("hvs.", r"[\w-]{24,}"),  # HashiCorp Vault
    token("hvb.", r"[\w-]{24,}"),
    token("ops_", r"eyJ[\w+/=-]{100,}"),  # 1Password
    token("dp.", r"(?:pt|st|ct|sa|scim|audit)\.(?:[\w-]+\.)?[\w-]{40,}"),  # Doppler
)

_CODE = (  # code hosts and package registries
    *(token(f"gh{kind}_", rf"{_WORD}{{30,}}") for kind in "pousr"),  # GitHub
    token("github_pat_", r"\w{22,}"),
    *(  # GitLab: personal, deploy, runner, pipeline trigger, feed, mail, agent, SCIM, OAuth, feature flags
        token(f"gl{kind}-", r"[\w-]{20,}(?:\.[\w-]+)*")
        for kind in "pat dt rt rtr ptt ft imt agent soat oas ffct wt".split()
    ),
    token("glcbt-", r"\w+_[\w-]{20,}"),
    token("GR1348941", r"[\w-]{20}"),
    token("npm_", rf"{_WORD}{{30,}}"),
    token("pypi-", _MIXED + r"[\w-]{32,}"),
    token("rubygems_", r"[a-f0-9]{40,}"),
    token("dckr_", r"[po]at_[\w-]{20,}"),  # Docker
    token("ATATT3", r"[\w=-]{60,}"),  # Atlassian
    token("ATCTT3", r"[\w=-]{60,}"),
    token("ATBB", rf"{_WORD}{{32}}"),
    token("sntrys_", r"[\w+/=]{30,}"),  # Sentry
    token("sntryu_", r"[a-f0-9]{40,}"),
    token("glsa_", r"\w{30,}"),  # Grafana
    token("glc_", r"eyJ[\w+/=]{30,}"),
    token("PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}"),  # Postman
    token("NRAK-", r"[A-Z0-9]{20,}"),  # New Relic
)

_SERVICES = (  # talk, money, mail, documents
    token("xox", r"[abeoprs](?:\.[abeoprs]|\.xox[bp])?-[\w-]{10,}"),  # Slack
    token("xapp-", r"[\w-]{16,}"),
    token("xwfp-", r"[\w-]{16,}"),
    Rule(  # Discord: the bot's id in base64, a time, a MAC
        "API_KEY",
        tuple("".join(four) for four in product("MNO", "DTjz", "AEIMQUYcgk", "wxyz012345")),  # "1"-"9", two of "0"-"9"
        re.compile(r"(?<![\w-])[MNO][DTjz][AEIMQUYcgk][w-z0-5][\w-]{18,26}\.[\w-]{6}\.[\w-]{27,}"),
    ),
    token("sk_live_", rf"{_WORD}{{10,}}"),  # Stripe
    token("rk_live_", rf"{_WORD}{{10,}}"),
    token("sk_test_", rf"{_WORD}{{10,}}"),
    token("rk_test_", rf"{_WORD}{{10,}}"),
    token("sk_org_", r"(?:live|test)_\w{10,}"),
    token("whsec_", r"[A-Za-z0-9+/=]{16,}"),
    token("sq0atp-", r"[\w-]{22,}"),  # Square
    token("sq0csp-", r"[\w-]{40,}"),
    *(token(f"shp{kind}_", r"[a-fA-F0-9]{32}") for kind in ("at", "ca", "pa", "ss", "tka")),  # Shopify
    token("SK", r"[0-9a-f]{32}(?![A-Za-z0-9])"),  # Twilio
    token("SG.", r"[\w-]{16,}\.[\w-]{16,}"),  # SendGrid
    token("key-", r"[0-9a-f]{32}(?![A-Za-z0-9-])"),  # Mailgun
    token("re_", r"[A-Za-z0-9]{8}_[A-Za-z0-9]{16,}"),  # Resend
    token("ntn_", rf"{_WORD}{{40,}}"),  # Notion
    token("secret_", rf"{_MIXED}{_WORD}{{40,}}"),
    token("lin_api_", rf"{_WORD}{{30,}}"),  # Linear
    token("figd_", r"[\w-]{36,}"),  # Figma
    token("pat", rf"{_WORD}{{14}}\.[a-f0-9]{{60,}}"),  # Airtable
    token("EAA", rf"{_WORD}{{90,}}"),  # Meta
)

BY_START: tuple[Rule, ...] = (*_MODELS, *_CLOUDS, *_CODE, *_SERVICES)
"""Keys that begin, at the start of a word, with one of their gates."""

BY_MIDDLE: tuple[Rule, ...] = (
    token("1//0", r"[\w-]{30,}"),  # Google, to refresh
    Rule("API_KEY", ("Q~",), re.compile(r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{30,33}[\w~-](?![\w~-])")),  # Entra
    Rule("API_KEY", ("JQQJ99",), re.compile(rf"(?<![A-Za-z0-9]){_WORD}{{52}}JQQJ99{_WORD}{{26}}(?![A-Za-z0-9])")),
    Rule("API_KEY", ("AZDO",), re.compile(rf"(?<![A-Za-z0-9]){_WORD}{{76}}AZDO{_WORD}{{4}}(?![A-Za-z0-9])")),
    Rule("API_KEY", ("atlasv1.",), re.compile(rf"(?<![\w.]){_WORD}{{14}}\.atlasv1\.[\w-]{{60,}}")),  # Terraform
    Rule("API_KEY", (":AA",), re.compile(r"(?<![A-Za-z0-9])\d{8,11}:AA[\w-]{33}(?![\w-])")),  # Telegram
)
"""Keys whose gate stands somewhere within."""
