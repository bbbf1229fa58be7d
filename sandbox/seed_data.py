"""The company that an org without a data file begins with."""

from typing import Any

DEFAULT: dict[str, Any] = {
    "org": {"Name": "Northwind Outdoor", "TimeZoneSidKey": "America/New_York"},
    "users": [
        {
            "Id": "@access",
            "Username": "access.user@northwind.example",
            "FirstName": "Playbooks",
            "LastName": "Access User",
            "Email": "access.user@northwind.example",
            "TimeZoneSidKey": "UTC",
        },
        {
            "Id": "@mara",
            "Username": "mara.lindqvist@northwind.example",
            "FirstName": "Mara",
            "LastName": "Lindqvist",
            "Email": "mara.lindqvist@northwind.example",
            "TimeZoneSidKey": "Europe/Stockholm",
        },
        {
            "Id": "@theo",
            "Username": "theo.okafor@northwind.example",
            "FirstName": "Theo",
            "LastName": "Okafor",
            "Email": "theo.okafor@northwind.example",
            "TimeZoneSidKey": "America/New_York",
        },
        {
            "Id": "@left",
            "Username": "ines.ferro@northwind.example",
            "FirstName": "Ines",
            "LastName": "Ferro",
            "Email": "ines.ferro@northwind.example",
            "IsActive": False,
            "TimeZoneSidKey": "Europe/Lisbon",
        },
    ],
    "objects": {
        "Account": [
            {"Id": "@birch", "Name": "Birchwood Lodges", "Phone": "+1 212 555 0140", "OwnerId": "@mara"},
            {"Id": "@tidal", "Name": "Tidal Kayaks", "Phone": "+1 415 555 0173", "OwnerId": "@theo"},
        ],
        "Contact": [
            {
                "Id": "@hana",
                "AccountId": "@birch",
                "FirstName": "Hana",
                "LastName": "Novak",
                "Email": "hana.novak@birchwood.example",
                "Phone": "+1 212 555 0141",
                "OwnerId": "@mara",
            },
            {
                "Id": "@luis",
                "AccountId": "@tidal",
                "FirstName": "Luis",
                "LastName": "Serrano",
                "Email": "luis.serrano@tidal.example",
                "MobilePhone": "+1 415 555 0174",
                "OwnerId": "@theo",
            },
        ],
        "Lead": [
            {
                "FirstName": "Priya",
                "LastName": "Raman",
                "Company": "Granite Peak Tours",
                "Email": "priya.raman@granitepeak.example",
                "Phone": "+1 303 555 0119",
                "OwnerId": "@theo",
            },
        ],
        "Opportunity": [
            {
                "AccountId": "@birch",
                "Name": "Birchwood winter season",
                "StageName": "Qualification",
                "CloseDate": "2030-03-31",
                "Amount": 48000.0,
                "OwnerId": "@mara",
            },
        ],
        "Case": [
            {
                "AccountId": "@tidal",
                "ContactId": "@luis",
                "Subject": "Paddle arrived cracked",
                "OwnerId": "@theo",
            },
        ],
    },
}
