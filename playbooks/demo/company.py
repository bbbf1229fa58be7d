"""Whom the demo is about: a software company's sales team, and what stands in its CRM."""

from typing import Any

# Every number is of a range that is kept free for films (Ofcom: 020 7946 0000 to 0999).
UNKNOWN_NUMBER = "020 7946 0871"
HANNAHS_NUMBER = "+44 20 7946 0233"
DANIELS_NUMBER = "+44 20 7946 0132"

CRM: dict[str, Any] = {
    "org": {"Name": "Fernhill Software", "TimeZoneSidKey": "Europe/London"},
    "users": [
        {
            "Id": "@access",
            "Username": "playbooks@fernhill.example",
            "FirstName": "Playbooks",
            "LastName": "Access User",
            "Email": "playbooks@fernhill.example",
            "TimeZoneSidKey": "Europe/London",
        },
        {
            "Id": "@amara",
            "Username": "amara.osei@fernhill.example",
            "FirstName": "Amara",
            "LastName": "Osei",
            "Email": "amara.osei@fernhill.example",
            "TimeZoneSidKey": "Europe/London",
        },
        {
            "Id": "@jonas",
            "Username": "jonas.weber@fernhill.example",
            "FirstName": "Jonas",
            "LastName": "Weber",
            "Email": "jonas.weber@fernhill.example",
            "TimeZoneSidKey": "Europe/Berlin",
        },
    ],
    "objects": {
        "Account": [
            {"Id": "@brightwater", "Name": "Brightwater Foods", "Phone": "+44 20 7946 0110", "OwnerId": "@amara"},
            {"Id": "@nordlys", "Name": "Nordlys Energy", "Phone": "+44 20 7946 0130", "OwnerId": "@jonas"},
            {"Id": "@castell", "Name": "Castell & Sons", "Phone": "+44 20 7946 0230", "OwnerId": "@amara"},
        ],
        "Contact": [
            {
                "AccountId": "@brightwater",
                "FirstName": "Sofia",
                "LastName": "Marchetti",
                "Email": "sofia.marchetti@brightwater.example",
                "Phone": "+44 20 7946 0112",
                "OwnerId": "@amara",
            },
            {
                "AccountId": "@nordlys",
                "FirstName": "Daniel",
                "LastName": "Okonkwo",
                "Email": "daniel.okonkwo@nordlys.example",
                "Phone": DANIELS_NUMBER,
                "OwnerId": "@jonas",
            },
            {
                "AccountId": "@castell",
                "FirstName": "Hannah",
                "LastName": "Lee",
                "Email": "hannah.lee@castell.example",
                "MobilePhone": HANNAHS_NUMBER,
                "OwnerId": "@amara",
            },
        ],
        "Lead": [
            {
                "FirstName": "Marcus",
                "LastName": "Feld",
                "Company": "Feldgrau Logistics",
                "Email": "marcus.feld@feldgrau.example",
                "Phone": "+44 20 7946 0540",
                "OwnerId": "@jonas",
            },
        ],
        "Opportunity": [
            {
                "AccountId": "@brightwater",
                "Name": "Brightwater, 250 seats",
                "StageName": "Qualification",
                "CloseDate": "2030-03-29",
                "Amount": 61000.0,
                "OwnerId": "@amara",
            },
            {
                "AccountId": "@nordlys",
                "Name": "Nordlys, pilot",
                "StageName": "Qualification",
                "CloseDate": "2030-02-15",
                "Amount": 12500.0,
                "OwnerId": "@jonas",
            },
        ],
    },
    "validation_rules": [
        {
            "object": "Task",
            "name": "Call_Needs_A_Result",
            "message": "Choose a call result before you log a call.",
            "field": "CallDisposition",
            "condition": {
                "all": [{"field": "TaskSubtype", "equals": "Call"}, {"field": "CallDisposition", "blank": True}]
            },
        }
    ],
}

# E-mail address, name, role, mail; the reps' Salesforce users are found by their address. Priya has none.
PEOPLE = (
    ("grace.holloway@fernhill.example", "Grace Holloway", "admin", "none"),
    ("elena.rossi@fernhill.example", "Elena Rossi", "manager", "outlook"),
    ("amara.osei@fernhill.example", "Amara Osei", "rep", "gmail"),
    ("jonas.weber@fernhill.example", "Jonas Weber", "rep", "outlook"),
    ("priya.nair@fernhill.example", "Priya Nair", "rep", "smtp"),
)
TEAM = "New Business"

# By play: kind, name, days after the enrolment, subject and description of its tasks.
PLAYS = {
    "First three weeks": (
        ("call", "Introduce yourself", 0, "", "Who plans the shifts at {account}, and with what?"),
        ("email", "Send the case study", 2, "", "Hi {first_name},\n\n\n{rep}"),
        ("other", "Connect on LinkedIn", 5, "", ""),
    ),
    "Renewal": (
        ("call", "Ask how it goes", 0, "Ask {first_name} how it goes at {account}", ""),
        ("email", "Send the renewal", 7, "", "Hi {first_name},\n\n\n{rep}"),
    ),
}

# What stays out of the CRM: entries as people type them.
OWN_DOMAIN = "fernhill.example"
COMPANY_SENDERS = "payslips.example\nhartwell-law.example\ndoctor@harbour-clinic.example"
COMPANY_KEYWORDS = "salary review, notice of termination"
COMPANY_QUOTED_KEYWORDS = "attorney-client"
MY_SENDERS = "riverside-school.example"
MY_KEYWORDS = "parents evening"
