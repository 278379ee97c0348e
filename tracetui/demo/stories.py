"""Eight things that go wrong in real applications, each to be found by what it left behind."""

from __future__ import annotations

from typing import Any

from tracetui.demo.stage import BIG, MINI, Stage, asks, span

PAGES = 850
RETRIES = 240
REGION = "ap-southeast-2"


def leaked_user(stage: Stage) -> None:
    """A tool is called with another user's id, which an earlier turn of the session let in."""
    system = "You are the support agent of Acme. Use get_order for questions about orders."
    with span(
        "support_agent", kind="agent", session="support-42", user="u-54321", input="Where is my order 1001?"
    ) as a:
        messages = asks(system, "Hi, I am user 54321. Where is my order 1001?")
        stage.chat(messages, tools=(("get_order", {"user_id": 54321, "order_id": 1001}),))
        stage.tool(messages, "get_order", {"user_id": 54321, "order_id": 1001}, {"order_id": 1001, "status": "shipped"})
        stage.chat(messages, "Order 1001 is on its way.", stream=True, cached=64)
        a.update(output="Order 1001 is on its way.")
    with span("support_agent", kind="agent", session="support-42", user="u-12345", input="Where is my order 789?") as a:
        messages.append({"role": "user", "content": "Hello, this is user 12345. Where is my order 789?"})
        stage.chat(messages, tools=(("get_order", {"user_id": 54321, "order_id": 789}),), tokens=(310, 28), cached=192)
        found = {"order_id": 999, "status": "delivered", "owner": "user 54321"}
        stage.tool(messages, "get_order", {"user_id": 54321, "order_id": 789}, found, 0.31)
        stage.chat(messages, "Your order was delivered last Tuesday.", stream=True, tokens=(380, 22), cached=256)
        a.update(output="Your order was delivered last Tuesday.")
    stage.story("a tool is called with another user's id", "tracetui search 54321")


def retry_loop(stage: Stage) -> None:
    """A retry loop summarises one 850-page document hundreds of times."""
    page = "Annual report 2025. Revenue rose in all segments; see the notes to the consolidated statements. "
    task = f"Summarise this document of {PAGES} pages in ten bullet points.\n\n" + page * 12 + f"[… {PAGES} pages]"
    job = {"document": "annual_report_2025.pdf", "pages": PAGES}
    with span(
        "summarise_document", kind="chain", session="reports", input=job, metadata={"tier": "enterprise"}
    ) as chain:
        for attempt in range(1, RETRIES + 1):
            chain.event("retry", attempt=attempt, reason="answer has 11 bullets, wanted 10")
            stage.chat(asks("You write executive summaries.", task), "• Revenue rose …\n• … (11 bullets)", model=BIG,
                       tokens=(425_000, 900), seconds=0.05)  # fmt: skip
            if stage.stopped():
                break
        chain.update(
            output="gave up: no answer had ten bullets", status="error", status_message="gave up after retries"
        )
    stage.story("one document is summarised hundreds of times", "tracetui traces name:summarise_document")


def wrong_line(stage: Stage) -> None:
    """A code-review bot comments on line 42; the fault is on line 38."""
    diff = "\n".join(f"{n:>3} | {_code(n)}" for n in range(34, 45))
    with span("review_pull_request", kind="agent", session="pr-1187", input={"pull_request": 1187}) as bot:
        messages = asks("You review code. Comment on the exact line of a fault.", "Review src/pay.py in PR 1187.")
        stage.chat(messages, tools=(("read_diff", {"path": "src/pay.py"}),))
        stage.tool(messages, "read_diff", {"path": "src/pay.py"}, diff)
        comment = {"path": "src/pay.py", "line": 42, "body": "`amount` may be None here: the division fails."}
        stage.chat(messages, tools=(("post_comment", comment),), reasoning=48, tokens=(640, 120))
        stage.tool(messages, "post_comment", comment, {"ok": True, "url": "https://git.example/pr/1187#c1"})
        stage.chat(messages, "I left one comment on line 42.", cached=512, tokens=(790, 14))
        bot.update(output="1 comment, on line 42")
    stage.story("a review comment is four lines off", "tracetui search post_comment")


def _code(line: int) -> str:
    return {37: "def share(amount, people):", 38: "    return amount / people  # amount may be None",
            41: "def total(items):", 42: "    return sum(items)"}.get(line, "")  # fmt: skip


def wrong_price(stage: Stage) -> None:
    """Retrieval ranks the enterprise price above the right one, and the answer follows it."""
    question = "What does the Team plan cost per month?"
    with span("pricing_assistant", kind="chain", session="web-7", user="u-77", input=question) as chain:
        stage.model.embed("text-embedding-3-small", [question])
        with span("vector_search", kind="retriever", input=question) as search:
            stage.nap(0.12)
            search.update(documents=[
                {"id": "pricing-enterprise", "content": "Enterprise plan: $499 per month, with SSO.", "score": 0.914},
                {"id": "pricing-team", "content": "Team plan: $49 per month, up to ten members.", "score": 0.909},
                {"id": "faq-billing", "content": "Invoices are sent on the first of the month.", "score": 0.702},
            ])  # fmt: skip
        messages = asks("Answer from the documents: [1] Enterprise plan: $499 … [2] Team plan: $49 …", question)
        stage.chat(messages, "The plan costs $499 per month.", stream=True)
        chain.update(output="The plan costs $499 per month.")
    stage.story("the wrong price was ranked first", "tracetui spans kind:retriever")


def wrong_unit(stage: Stage) -> None:
    """The prompt says Celsius, the tool answers in Fahrenheit, nobody converts."""
    with span("weather_agent", kind="agent", session="weather-1", input="How warm is it in Patiala?") as agent:
        messages = asks("Answer in degrees Celsius.", "How warm is it in Patiala?")
        stage.chat(messages, tools=(("get_temperature", {"city": "Patiala"}),))
        stage.tool(messages, "get_temperature", {"city": "Patiala"}, {"temperature": 88, "unit": "F"})
        stage.chat(messages, "It is 88 °C in Patiala.", stream=True)
        agent.update(output="It is 88 °C in Patiala.")
    stage.story("a Celsius prompt meets a Fahrenheit tool", "tracetui search '88 °C'")


def three_paths(stage: Stage) -> None:
    """ "Add those temperatures" takes three paths."""
    question = "Add those temperatures: 31, 24 and 18."
    paths: tuple[tuple[tuple[str, dict[str, Any], Any], ...], ...] = (
        (("calculator", {"expression": "31+24+18"}, 73),),
        (("run_python", {"code": "print(31+24+18)"}, "73\n"), ("to_fahrenheit", {"celsius": 73}, 163.4)),
        (),
    )
    for number, path in enumerate(paths, 1):
        with span(
            "add_temperatures", kind="agent", session=f"sum-{number}", input=question, tags=["path", str(number)]
        ) as a:
            messages = asks("You may use tools.", question)
            for name, arguments, result in path:
                stage.chat(messages, tools=((name, arguments),))
                stage.tool(messages, name, arguments, result)
            text = ("73", "163.4 °F", "The sum is about 72.")[number - 1]
            stage.chat(messages, text)
            a.update(output=text)
    stage.story("one question takes three paths", "tracetui traces name:add_temperatures")


def slow_middle(stage: Stage) -> None:
    """Three agents in a row; the middle one holds half the time. However fast, they wait long enough to show it."""
    with span("write_newsletter", kind="agent", session="news-5", input="This week's newsletter") as team:
        for name, seconds in (("planner", 1.2), ("researcher", 2.4), ("writer", 1.2)):
            with span(name, kind="agent", input=f"{name}'s part") as agent:
                messages = asks(f"You are the {name} of a newsletter.", "Do your part.")
                stage.chat(messages, f"({name} is done)", seconds=seconds, at_least=seconds / 2)
                agent.update(output=f"{name} is done", agent_name=name)
        team.update(output="Newsletter ready.")
    stage.story("the middle one of three agents holds half the time", "tracetui spans name:planner,researcher,writer")


def far_region(stage: Stage) -> None:
    """Five calls of 200 ms, one after the other, to a far region. These wait in full at any speed."""
    with span("enrich_profile", kind="chain", session="crm-3", input={"user": "u-9"}) as chain:
        for part in ("name", "address", "orders", "tickets", "score"):
            with span(f"fetch_{part}", kind="http", input={"region": REGION, "part": part},
                      attributes={"cloud.region": REGION, "http.request.method": "GET"}):  # fmt: skip
                stage.nap(0.2, at_least=0.2)
        messages = asks("You summarise customers.", "Who is u-9?")
        stage.chat(messages, "A loyal customer from Hobart.", model=MINI)
        chain.update(output="A loyal customer from Hobart.")
    stage.story("five calls of 200 ms to a far region", "tracetui spans 'name:fetch_*'")


STORIES = (leaked_user, wrong_price, wrong_unit, wrong_line, three_paths, slow_middle, far_region, retry_loop)
