"""What must go and what must stay. Every secret here is made up (example numbers of issuers, keys of nobody).

Keys are put together from halves so that scanners of source code do not take them for leaked ones.
"""

from __future__ import annotations

SECRETS = {
    "openai": "sk-" + "abcdEFGH1234ijklMNOP5678qrstUVWX",
    "openai project": "sk-" + "proj-Ab3dEf6hIj9kLmNoPqRsT_vWxYz0123456789-abcdefgh",
    "openai short": "sk-" + "1234567890abcdef",
    "anthropic": "sk-" + "ant-api03-Ab3dEf6hIj9kLmNoPqRsTuVwXyZ0123456789-abcdefgh_AA",
    "deepseek": "sk-" + "0123456789abcdef0123456789abcdef",
    "openrouter": "sk-" + "or-v1-0123456789abcdef0123456789abcdef",
    "langfuse": "sk-" + "lf-01234567-89ab-cdef-0123-456789abcdef",
    "google": "AI" + "zaSyA1234567890abcdefghijklmnopqrstuv",
    "aws": "AK" + "IAIOSFODNN7EXAMPLE",
    "aws temporary": "AS" + "IAIOSFODNN7EXAMPLE",
    "github": "gh" + "p_abcdefghijklmnopqrstuvwxyz0123456789",
    "github oauth": "gh" + "o_abcdefghijklmnopqrstuvwxyz0123456789",
    "github fine": "github_" + "pat_11ABCDEFG0123456789_abcdefghijklmnopqrstuvwxyz",
    "slack": "xo" + "xb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
    "stripe": "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc",
    "stripe restricted": "rk_" + "live_4eC39HqLyjWDarjtT1zdp7dc",
    "huggingface": "hf" + "_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh",
    "npm": "npm" + "_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
    "pypi": "pypi" + "-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMA",
    "gitlab": "glpat" + "-AbCdEfGhIjKlMnOpQrSt",
    "langsmith": "lsv2" + "_pt_0123456789abcdef0123456789abcdef_0123456789",
    "groq": "gsk" + "_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKl",
    "sendgrid": "SG" + ".AbCdEfGhIjKlMnOpQrStUv.AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfG",
    "jwt": "eyJ"
    + "hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "visa": "4111 1111 1111 1111",
    "visa dashes": "4111-1111-1111-1111",
    "visa plain": "4242424242424242",
    "mastercard": "5555 5555 5555 4444",
    "mastercard 2": "2223003122003222",
    "amex": "3782 822463 10005",
    "amex plain": "371449635398431",
    "discover": "6011111111111117",
    "diners": "30569309025904",
    "jcb": "3530111333300000",
    "unionpay": "6200000000000005",
}

FRAMES = ["{}", "the value is {}.", "({})", '"{}"', "key={}", "a\n{}\nb", "用户的密钥是 {}，请保密", "<{}>", "{}, and"]

PEM = (
    "-----BEGIN RSA PRIVATE "
    + "KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7\nQxZ+abc=\n-----END RSA PRIVATE KEY-----"
)

IN_CONTEXT = [  # (text, what must be gone)
    ("Authorization: Bearer abcdef0123456789abcdef", "abcdef0123456789abcdef"),
    ("authorization: bearer AbCdEf.0123456789_-xyz1", "AbCdEf.0123456789_-xyz1"),
    ("Authorization: Basic YWxhZGRpbjpvcGVuc2VzYW1lMTIz", "YWxhZGRpbjpvcGVuc2VzYW1lMTIz"),
    ("curl -H 'x-api-key: 0123456789abcdef0123'", "0123456789abcdef0123"),
    ('{"access_token": "0123456789abcdefABCD"}', "0123456789abcdefABCD"),
    ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI/K7MDENG"),
    ("postgres://app:hunter2@db.example.com:5432/app", "hunter2"),
    ("redis://:s3cr3t@localhost:6379/0", "s3cr3t"),
    ("https://user:p@ss:w0rd@example.com/path?q=1", "w0rd"),
    ("mongodb+srv://user:tr0ub4dor&3@cluster0.example.net", "tr0ub4dor"),
    (PEM, "MIIEpAIBAAKCAQEA"),
    (PEM.replace("\n", "\\n"), "MIIEpAIBAAKCAQEA"),
    (PEM[:110], "MIIEpAIBAAKCAQEA"),
]

HARMLESS = [
    "gpt-4o-mini-2024-07-18",
    "claude-3-5-sonnet-20241022",
    "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "127.0.0.1",
    "192.168.100.100:8080",
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "41111111-1111-4111-8111-111111111111",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "2024-07-18T12:30:45.123456Z",
    "2024-07-18 12:30:45.123456789+00:00",
    "20240718123045",
    "1700000000000",
    "1700000000000000",
    "1732163445123456789",
    "4111111111111112",
    "4111 1111 1111 1112",
    "0.4111111111111111",
    "order-4111111111111111-a",
    "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012",
    "call_AbCdEfGhIjKlMnOpQrStUvWx",
    "toolu_01AbCdEfGhIjKlMnOpQrSt",
    "msg_01XFDUDYJgAACzvnptvVoYEL",
    "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
    "thread_abc123def456ghi789jkl",
    "task-list-for-the-long-running-job-2024",
    "risk-assessment-and-mitigation-plan-v2",
    "pk-lf-01234567-89ab-cdef-0123-456789abcdef",
    "sk-loading-indicator-overlay",
    "https://example.com:8080/path@2x.png",
    "http://localhost:3000/@scope/package",
    "git@github.com:octocat/hello.git",
    "npm install @types/node",
    "token_count: 1234567890",
    'api_key = os.environ["OPENAI_API_KEY"]',
    "Bearer authentication is described below",
    "the bearer of the internationalization-and-localization ticket",
    "max_completion_tokens=1024",
    "+1 second",
    "phi-4-multimodal-instruct",
    "-----BEGIN CERTIFICATE-----",
    "3.141592653589793238",
    "978-3-16-148410-0",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
]
