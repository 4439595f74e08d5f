"""Random policies and requests, put to Conurb and to Cedar (https://www.cedarpolicy.com, by its Python package cedarpy).

`World` makes people and things; `random_rule` makes rules as a policy file has them, `cedar_text` says the same in Cedar's language.
What the two share: who, actions, types, attributes, scopes, classifications, sources, boxes, own data, purposes, consent, agreements,
days, permit and forbid. Precision and figures are Conurb's own and are tested elsewhere.
"""

import json
import pathlib
import random
import subprocess

import cedarpy
import yaml

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PURPOSES = {each["id"]: each.get("broader", []) for each in yaml.safe_load((PROJECT / "policies/purposes.yaml").read_text())["purposes"]}

ROLES = ["resident", "owner-department", "auditor", "analyst", "supplier", "device"]
ACCOUNTS = ["ada", "grace", "linus"]
MUNICIPALITIES = ["lattes", "pignan"]
ACTIONS = ["read", "history", "aggregate", "subscribe", "export", "write", "erase", "publish", "administer"]
TYPES = ["Bus", "Tram", "Bike", "Streetlight"]
ATTRIBUTES = ["name", "email", "location", "status"]
SCOPES = ["/A", "/A/B", "/A/B/C", "/D", "/D/B"]
CLASSIFICATIONS = ["open", "internal", "partner", "personal", "special"]
SOURCES = ["lamps", "buses"]
AGREEMENTS = ["x", "y"]
DAYS = range(1, 29)


def some(r, values, count_max=3):
    return r.sample(values, r.randint(1, min(count_max, len(values))))


def one_or_many(r, values):
    """A list of one can be written without the brackets."""
    return values[0] if len(values) == 1 and r.random() < 0.5 else values


def day(number):
    return f"2026-06-{number:02d}"


# Rules as a policy file has them

def random_who(r):
    who = {}
    if r.random() < 0.5:
        who["roles"] = one_or_many(r, some(r, ROLES))
    if r.random() < 0.15:
        who["accounts"] = one_or_many(r, some(r, ACCOUNTS, 2))
    if r.random() < 0.15:
        who["municipalities"] = one_or_many(r, some(r, MUNICIPALITIES, 2))
    if r.random() < 0.15:
        who["signedIn"] = r.random() < 0.7
    return who or "anyone"


def random_classifications(r):
    return {"upTo": r.choice(CLASSIFICATIONS)} if r.random() < 0.5 else one_or_many(r, some(r, CLASSIFICATIONS))


def random_what(r):
    west, south = r.randint(-10, 5), r.randint(-10, 5)
    made = {
        "types": (0.4, lambda: one_or_many(r, some(r, TYPES))),
        "attributes": (0.3, lambda: one_or_many(r, some(r, ATTRIBUTES))),
        "scopes": (0.25, lambda: one_or_many(r, [scope + r.choice(["", "/#"]) for scope in some(r, SCOPES, 2)])),
        "classifications": (0.4, lambda: random_classifications(r)),
        "sources": (0.15, lambda: one_or_many(r, some(r, SOURCES, 2))),
        "within": (0.15, lambda: [west, south, west + r.randint(1, 12), south + r.randint(1, 12)]),
        "subject": (0.1, lambda: "self"),
    }
    wanted = list(made) if r.random() < 0.6 else r.sample(list(made), 1)
    return {key: made[key][1]() for key in wanted if r.random() < made[key][0]} or "everything"


def random_rule(r, number):
    rule = {"id": f"r{number}", "effect": "forbid" if r.random() < 0.25 else "permit", "who": random_who(r),
            "actions": "all" if r.random() < 0.4 else one_or_many(r, some(r, ACTIONS, 6)), "what": random_what(r)}
    if r.random() < 0.35:
        rule["purposes"] = one_or_many(r, some(r, list(PURPOSES)))
    if r.random() < 0.1:
        rule["from"] = day(r.choice(DAYS[:14]))
    if r.random() < 0.1:
        rule["until"] = day(r.choice(DAYS[14:]))
    if rule["effect"] == "permit":
        if r.random() < 0.15:
            rule["consent"] = "required"
        if r.random() < 0.15:
            rule["agreement"] = r.choice(AGREEMENTS)
        if "attributes" not in rule["what"] and r.random() < 0.3:
            rule["narrow"] = {"attributes": {r.choice(["only", "except"]): one_or_many(r, some(r, ATTRIBUTES))}}
    return rule


# The same in Cedar

def listed(value):
    return value if isinstance(value, list) else [value]


def texts(values):
    return "[" + ", ".join(json.dumps(value) for value in listed(values)) + "]"


def purpose_entities(ids):
    return "[" + ", ".join(f'Purpose::"{each}"' for each in listed(ids)) + "]"


def who_conditions(who):
    if who == "anyone":
        return
    if "roles" in who:
        yield "roles", f"principal.roles.containsAny({texts(who['roles'])})"
    for key, name in (("accounts", "account"), ("municipalities", "municipality")):
        if key in who:
            yield key, f"principal has {name} && {texts(who[key])}.contains(principal.{name})"
    if "signedIn" in who:
        yield "signedIn", "principal has account" if who["signedIn"] else "!(principal has account)"


def what_conditions(what):
    if what == "everything":
        return
    if "types" in what:
        yield "types", f"resource.types.containsAny({texts(what['types'])})"
    if "attributes" in what:
        yield "attributes", f"{texts(what['attributes'])}.contains(context.attribute)"
    if "scopes" in what:
        yield "scopes", " || ".join(f'resource in Scope::"{scope[:-2]}"' if scope.endswith("/#") else f'resource.scopes.contains("{scope}")'
                                    for scope in listed(what["scopes"]))
    if "classifications" in what:
        wanted = what["classifications"]
        yield "classifications", (f"resource.rank <= {CLASSIFICATIONS.index(wanted['upTo'])}" if isinstance(wanted, dict)
                                  else f"{texts(wanted)}.contains(resource.classification)")
    if "sources" in what:
        yield "sources", f"resource has source && {texts(what['sources'])}.contains(resource.source)"
    if "within" in what:
        west, south, east, north = what["within"]
        yield "within", (f"resource has longitude && resource.longitude >= {west} && resource.longitude <= {east} && "
                         f"resource.latitude >= {south} && resource.latitude <= {north}")
    if "subject" in what:
        yield "subject", "principal has account && resource has subject && resource.subject == principal.account"


def basis_conditions(rule):
    if "purposes" in rule:
        covered = f"context has purpose && context.purpose in {purpose_entities(rule['purposes'])}"
        if rule["effect"] == "permit":
            yield "purposes", covered
        else:
            broader = " || ".join(f'Purpose::"{each}" in context.purpose' for each in listed(rule["purposes"]))
            yield "purposes", f"!(context has purpose) || ({covered}) || {broader}"
    if "consent" in rule:
        yield "consent", "context has purpose && context.purpose in resource.consents"
    if "agreement" in rule:
        yield "agreement", f'context has agreement && context.agreement == "{rule["agreement"]}"'
    if "from" in rule:
        yield "from", f"context.day >= {int(rule['from'][-2:])}"
    if "until" in rule:
        yield "until", f"context.day <= {int(rule['until'][-2:])}"
    for kind, names in rule.get("narrow", {}).get("attributes", {}).items():
        yield "narrow", ("!" if kind == "except" else "") + f"{texts(names)}.contains(context.attribute)"


def cedar_text(rules, without=None):
    """`without` leaves out one kind of condition, or turns every forbid into nothing: a translation that is wrong on purpose."""
    policies = []
    for rule in rules:
        if without == "forbid" and rule["effect"] == "forbid":
            continue
        actions = ACTIONS if rule["actions"] == "all" or without == "actions" else listed(rule["actions"])
        action = "action in [" + ", ".join(f'Action::"{each}"' for each in actions) + "]"
        conditions = [*who_conditions(rule["who"]), *what_conditions(rule["what"]), *basis_conditions(rule)]
        when = " && ".join(f"({text})" for kind, text in conditions if kind != without) or "true"
        policies.append(f"{rule['effect']}(principal, {action}, resource) when {{ {when} }};")
    return "\n".join(policies)


KINDS = ["forbid", "actions", "roles", "accounts", "municipalities", "signedIn", "types", "attributes", "scopes", "classifications", "sources",
         "within", "subject", "purposes", "consent", "agreement", "from", "until", "narrow"]


# People, things, and requests

class World:
    """People and things that many policies are asked about, as both sides need them."""

    def __init__(self, r, people=60, things=120):
        self.people = [self.person(r) for _ in range(people)]
        self.things = [self.thing(r) for _ in range(things)]
        entities = [{"uid": {"type": "Purpose", "id": name}, "attrs": {}, "parents": [{"type": "Purpose", "id": each} for each in listed(broader)]}
                    for name, broader in PURPOSES.items()]
        entities += [{"uid": {"type": "Scope", "id": name}, "attrs": {}, "parents": self.scope_parents(name)} for name in SCOPES]
        entities += [self.cedar_person(number, who) for number, who in enumerate(self.people)]
        entities += [self.cedar_thing(number, what) for number, what in enumerate(self.things)]
        self.entities = cedarpy.Entities.from_json_str(json.dumps(entities))

    @staticmethod
    def person(r):
        if r.random() < 0.15:
            return None
        who = {"account": r.choice(ACCOUNTS), "roles": r.sample(ROLES, r.choice([0, 1, 1, 2]))}
        if r.random() < 0.6:
            who["municipality"] = r.choice(MUNICIPALITIES)
        return {key: value for key, value in who.items() if value}

    @staticmethod
    def thing(r):
        what = {"types": some(r, TYPES, 2), "scopes": r.sample(SCOPES, r.choice([0, 1, 1, 2])), "classification": r.choice(CLASSIFICATIONS),
                "consents": r.sample(list(PURPOSES), r.choice([0, 1, 4]))}
        if r.random() < 0.6:
            what["source"] = r.choice(SOURCES)
        if r.random() < 0.5:
            what["subject"] = r.choice(ACCOUNTS)
        if r.random() < 0.8:
            what["location"] = [r.randint(-12, 12), r.randint(-12, 12)]
        return what

    @staticmethod
    def scope_parents(name):
        parent = name.rpartition("/")[0]
        return [{"type": "Scope", "id": parent}] if parent else []

    @staticmethod
    def cedar_person(number, who):
        who = who or {}
        attributes = {"roles": who.get("roles", [])} | {key: who[key] for key in ("account", "municipality") if key in who}
        return {"uid": {"type": "User", "id": str(number)}, "attrs": attributes, "parents": []}

    @staticmethod
    def cedar_thing(number, what):
        attributes = {key: what[key] for key in ("types", "scopes", "classification", "source", "subject") if key in what}
        attributes["rank"] = CLASSIFICATIONS.index(what["classification"])
        attributes["consents"] = [{"__entity": {"type": "Purpose", "id": each}} for each in what["consents"]]
        if "location" in what:
            attributes["longitude"], attributes["latitude"] = what["location"]
        return {"uid": {"type": "Thing", "id": str(number)}, "attrs": attributes, "parents": [{"type": "Scope", "id": each} for each in what["scopes"]]}

    def request(self, r):
        """A question to Conurb about one attribute, and the same to Cedar."""
        person, thing = r.randrange(len(self.people)), r.randrange(len(self.things))
        action, attribute, number = r.choice(ACTIONS), r.choice(ATTRIBUTES), r.choice(DAYS)
        question = {"who": self.people[person] or "anonymous", "action": action, "at": day(number) + "T12:00:00Z",
                    "resource": {key: value for key, value in self.things[thing].items() if value != []}, "attributes": [attribute]}
        context = {"attribute": attribute, "day": number}
        if r.random() < 0.75:
            question["purpose"] = r.choice(list(PURPOSES))
            context["purpose"] = {"__entity": {"type": "Purpose", "id": question["purpose"]}}
        if r.random() < 0.5:
            question["agreement"] = context["agreement"] = r.choice(AGREEMENTS)
        asked = {"principal": f'User::"{person}"', "action": f'Action::"{action}"', "resource": f'Thing::"{thing}"', "context": context}
        return question, asked


def is_shown(answer):
    """Whether Conurb shows the attribute that a question is about."""
    return next(iter(answer["attributes"].values()))["access"] == "shown"


def agree(answer, rules, allowed, reasons):
    """Whether both decide alike and for reasons that go together. Conurb speaks of the whole thing, Cedar of one attribute: who is shown it
    is so by permits that Conurb names; a forbid of all attributes is named by both, by Conurb the first."""
    if is_shown(answer) != allowed:
        return False
    if allowed:
        return reasons <= set(answer["rules"])
    whole = [rule["id"] for rule in rules if rule["effect"] == "forbid" and "attributes" not in rule["what"]]
    speaking = [name for name in whole if name in reasons]
    return answer["rules"] == speaking[:1] if speaking else not set(whole) & set(answer["rules"])


class Batch:
    """Some policies with requests, made from one seed."""

    def __init__(self, seed, policy_count, request_count):
        r = random.Random(seed)
        self.world = World(r)
        self.policies = [[random_rule(r, number) for number in range(r.randint(1, 10))] for _ in range(policy_count)]
        self.requests = [[self.world.request(r) for _ in range(request_count)] for _ in range(policy_count)]

    def conurb(self, binary):
        """The answers to each policy's requests."""
        lines = "".join(json.dumps({"policy": {"rules": rules}, "questions": [question for question, _ in requests]}) + "\n"
                        for rules, requests in zip(self.policies, self.requests))
        done = subprocess.run([str(binary), "policy", "decide"], input=lines, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return [json.loads(line)["answers"] for line in done.stdout.splitlines()]

    def cedar(self, without=None):
        """Cedar's answers, one policy after the other: whether the attribute is shown, and the rules that say so."""
        for rules, requests in zip(self.policies, self.requests):
            text = cedar_text(rules, without)
            names = [rule["id"] for rule in rules if without != "forbid" or rule["effect"] == "permit"]
            results = cedarpy.is_authorized_batch([asked for _, asked in requests], text, self.world.entities)
            faults = [fault for result in results for fault in result.diagnostics.errors]
            if faults:
                raise AssertionError(f"Cedar: {faults[0]}\n{text}")
            yield [(result.allowed, {names[int(each.removeprefix("policy"))] for each in result.diagnostics.reasons}) for result in results]

    def differences(self, ours, theirs):
        """Places (policy, request) where the answers differ, as far as somebody asks for them."""
        for row, (rules, left, right) in enumerate(zip(self.policies, ours, theirs, strict=True)):
            yield from ((row, column) for column, (answer, (allowed, reasons)) in enumerate(zip(left, right, strict=True))
                        if not agree(answer, rules, allowed, reasons))

    def describe(self, row, column):
        return f"{json.dumps(self.policies[row])}\n{cedar_text(self.policies[row])}\n{json.dumps(self.requests[row][column][0])}"
